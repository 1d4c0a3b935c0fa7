"""CrossStitch: one network per task, mixed after every layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import keras
from keras import ops

from models.architectures.base import Architecture, same_places
from models.architectures.encoded import Encoded
from models.architectures.task_info import TaskInfo
from models.layers.cross_stitch import CrossStitchUnit
from models.layers.mlp import MLP
from models.recipe.errors import InputError

if TYPE_CHECKING:
    from models.recipe.option_types import Activation, Dropout, Layers, LayersOrNone, Share


@keras.saving.register_keras_serializable(package="gatewise")
class CrossStitch(Architecture):
    """Trains one network per task and mixes their outputs linearly after each layer by learned weights; suits few tasks of similar size.

    Misra et al., Cross-stitch Networks for Multi-task Learning, CVPR 2016 (https://arxiv.org/abs/1604.03539).
    Deviations: one weight per pair of tasks (not of channels), and no separate learning rate for these weights.

    Args:
        tasks: tasks in the order of the label columns.
        units: sizes of the layers of each task's network, one or more.
        tower_units: sizes of the hidden layers of each task's tower.
        self_weight: initial weight of a task's own activations, 0 to 1. The other tasks share the rest.
        activation: name of the activation.
        dropout: dropout rate of each layer.

    Raises:
        InputError: `units` is empty, or self_weight is outside [0, 1].
    """

    user_once: ClassVar[bool] = True

    def __init__(
        self,
        tasks: tuple[TaskInfo, ...],
        *,
        units: Layers = (128, 64),
        tower_units: LayersOrNone = (32,),
        self_weight: Share = 0.9,
        activation: Activation = "relu",
        dropout: Dropout = 0.0,
        **layer: Any,
    ) -> None:
        super().__init__(tasks, **layer)
        if not units:
            raise InputError("cross_stitch: expected at least one layer to mix, received units=().")
        self.units = tuple(units)
        self.tower_units = tuple(tower_units)
        self.self_weight = self_weight
        self.activation = activation
        self.dropout = dropout
        policy = self.dtype_policy
        # A flat list, level by level: Keras does not save layers in nested lists.
        self.networks = [
            MLP((size,), activation=activation, dropout=dropout, name=f"{task}_{i}", dtype=policy)
            for i, size in enumerate(self.units)
            for task in self.names
        ]
        self.stitches = [
            CrossStitchUnit(self_weight=self_weight, name=f"stitch_{i}", dtype=policy) for i in range(len(self.units))
        ]
        self.towers = self.make_towers(self.tower_units, activation, dropout)

    def build(self, input_shape: Encoded) -> None:
        shape = input_shape.x
        for level, (size, stitch) in enumerate(zip(self.units, self.stitches, strict=True)):
            for layer in self.level(level):
                layer.build(shape)
            shape = (shape[0], size)
            stitch.build((shape[0], len(self.tasks), size))
        for tower in self.towers:
            tower.build(shape)

    def call(self, inputs: Encoded, training: bool | None = None) -> dict[str, Any]:
        by_task = [inputs.x] * len(self.tasks)
        for level, stitch in enumerate(self.stitches):
            outputs = [layer(x, training=training) for layer, x in zip(self.level(level), by_task, strict=True)]
            mixed = stitch(ops.stack(outputs, axis=1))  # (batch, task, dim)
            by_task = [mixed[:, task] for task in range(len(self.tasks))]
        return self.logits(self.towers, by_task, training)

    def level(self, level: int) -> list[MLP]:
        """Layers of one level, in the order of the tasks."""
        return self.networks[level * len(self.tasks) : (level + 1) * len(self.tasks)]

    def task_kernels(self) -> list[list[keras.Variable]]:
        levels = [place for level in range(len(self.units)) for place in same_places(self.level(level))]
        return [*levels, *super().task_kernels()]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "tower_units": self.tower_units,
            "self_weight": self.self_weight,
            "activation": self.activation,
            "dropout": self.dropout,
        }
