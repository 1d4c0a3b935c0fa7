"""SharedBottom: one network for all tasks and one tower per task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import keras

from models.architectures.base import Architecture
from models.architectures.encoded import Encoded
from models.architectures.task_info import TaskInfo
from models.layers.mlp import MLP

if TYPE_CHECKING:
    from models.recipe.option_types import Activation, Dropout, LayersByTask, LayersOrNone


@keras.saving.register_keras_serializable(package="gatewise")
class SharedBottom(Architecture):
    """Shares one network between all tasks, with one tower per task; the cheapest architecture, suits similar tasks.

    Caruana, Multitask Learning, Machine Learning 28, 1997 (https://doi.org/10.1023/A:1007379606734).

    Args:
        tasks: tasks in the order of the label columns.
        units: sizes of the layers of the shared network.
        tower_units: sizes of the hidden layers of each task's tower.
        towers: sizes of the hidden layers of the towers of some tasks, in place of `tower_units`: {like: [], order: [64, 32]}.
        activation: name of the activation.
        dropout: dropout rate of each layer.
    """

    user_once: ClassVar[bool] = True

    def __init__(
        self,
        tasks: tuple[TaskInfo, ...],
        *,
        units: LayersOrNone = (256, 128),
        tower_units: LayersOrNone = (32,),
        towers: LayersByTask = {},  # noqa: B006 - options are read from the source, as literals
        activation: Activation = "relu",
        dropout: Dropout = 0.0,
        **layer: Any,
    ) -> None:
        super().__init__(tasks, **layer)
        self.units = tuple(units)
        self.tower_units = tuple(tower_units)
        self.units_by_task = {task: tuple(layers) for task, layers in towers.items()}
        self.activation = activation
        self.dropout = dropout
        self.bottom = MLP(self.units, activation=activation, dropout=dropout, name="bottom", dtype=self.dtype_policy)
        self.towers = self.make_towers(self.tower_units, activation, dropout, self.units_by_task)

    def build(self, input_shape: Encoded) -> None:
        shape = input_shape.x
        self.bottom.build(shape)
        for tower in self.towers:
            tower.build(self.bottom.compute_output_shape(shape))

    def call(self, inputs: Encoded, training: bool | None = None) -> dict[str, Any]:
        x = self.bottom(inputs.x, training=training)
        return self.logits(self.towers, [x] * len(self.tasks), training)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "tower_units": self.tower_units,
            "towers": dict(self.units_by_task),
            "activation": self.activation,
            "dropout": self.dropout,
        }
