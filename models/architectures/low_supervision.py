"""LowSupervision: shared layers, of which some tasks read a lower one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import keras

from models.architectures.base import Architecture
from models.architectures.encoded import Encoded
from models.architectures.task_info import TaskInfo
from models.layers.mlp import MLP
from models.recipe.errors import InputError

if TYPE_CHECKING:
    from models.recipe.option_types import Activation, Dropout, Layers, LayersOrNone, LevelByTask


@keras.saving.register_keras_serializable(package="gatewise")
class LowSupervision(Architecture):
    """Attaches the towers of simple or auxiliary tasks to lower shared layers and the others to the top; suits tasks of unequal difficulty.

    logit_t = tower_t(h_(level of t)), h_l = activation(h_(l-1) @ W_l + b_l), h_0 = x. A task at level l updates no layer
    above l, so the layers above it belong to the tasks at the top.

    Søgaard and Goldberg, Deep Multi-task Learning with Low Level Tasks Supervised at Lower Layers, ACL 2016
    (https://aclanthology.org/P16-2038). Deviations: dense layers instead of recurrent ones; all tasks train in each step.

    Args:
        tasks: tasks in the order of the label columns.
        units: sizes of the shared layers, one or more.
        level: number of the layer that a task's tower reads, from 1: {click: 1}. Tasks without one read the top layer. {}: as
            in `shared_bottom`.
        tower_units: sizes of the hidden layers of each task's tower.
        activation: name of the activation.
        dropout: dropout rate of each layer.

    Raises:
        InputError: a level has no layer.
    """

    user_once: ClassVar[bool] = True

    def __init__(
        self,
        tasks: tuple[TaskInfo, ...],
        *,
        units: Layers = (256, 128),
        level: LevelByTask = {},  # noqa: B006 - options are read from the source, as literals
        tower_units: LayersOrNone = (32,),
        activation: Activation = "relu",
        dropout: Dropout = 0.0,
        **layer: Any,
    ) -> None:
        super().__init__(tasks, **layer)
        self.units = tuple(units)
        self.level = dict(level)
        for task, number in level.items():
            if not 1 <= number <= len(self.units):
                raise InputError(
                    f"low_supervision: expected a level from 1 to {len(self.units)}, the number of layers in `units`, for "
                    f"the task {task!r}, received {number}."
                )
        self.tower_units = tuple(tower_units)
        self.activation = activation
        self.dropout = dropout
        self.shared = [
            MLP((size,), activation=activation, dropout=dropout, name=f"shared_{i}", dtype=self.dtype_policy)
            for i, size in enumerate(self.units, 1)
        ]
        self.towers = self.make_towers(self.tower_units, activation, dropout)

    def build(self, input_shape: Encoded) -> None:
        shapes = [input_shape.x]
        for layer in self.shared:
            layer.build(shapes[-1])
            shapes.append(layer.compute_output_shape(shapes[-1]))
        for level, tower in zip(self._levels(), self.towers, strict=True):
            tower.build(shapes[level])

    def call(self, inputs: Encoded, training: bool | None = None) -> dict[str, Any]:
        outputs = [inputs.x]
        for layer in self.shared:
            outputs.append(layer(outputs[-1], training=training))
        return self.logits(self.towers, [outputs[level] for level in self._levels()], training)

    def _levels(self) -> list[int]:
        return [self.level.get(task, len(self.units)) for task in self.names]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "level": dict(self.level),
            "tower_units": self.tower_units,
            "activation": self.activation,
            "dropout": self.dropout,
        }
