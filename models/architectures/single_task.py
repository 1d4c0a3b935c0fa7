"""SingleTask: the baseline, which shares only the embedding tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import keras

from models.architectures.base import Architecture, same_places
from models.architectures.encoded import Encoded
from models.architectures.task_info import TaskInfo
from models.layers.mlp import MLP

if TYPE_CHECKING:
    from models.recipe.option_types import Activation, Dropout, LayersOrNone


@keras.saving.register_keras_serializable(package="gatewise")
class SingleTask(Architecture):
    """Trains one network per task and shares only the embedding tables; the baseline that detects negative transfer.

    Args:
        tasks: tasks in the order of the label columns.
        units: sizes of the layers of each task's network.
        tower_units: sizes of the hidden layers of each task's tower.
        activation: name of the activation.
        dropout: dropout rate of each layer.
    """

    user_once: ClassVar[bool] = True

    def __init__(
        self,
        tasks: tuple[TaskInfo, ...],
        *,
        units: LayersOrNone = (128, 64),
        tower_units: LayersOrNone = (32,),
        activation: Activation = "relu",
        dropout: Dropout = 0.0,
        **layer: Any,
    ) -> None:
        super().__init__(tasks, **layer)
        self.units = tuple(units)
        self.tower_units = tuple(tower_units)
        self.activation = activation
        self.dropout = dropout
        self.networks = [
            MLP(self.units, activation=activation, dropout=dropout, name=f"{task}_network", dtype=self.dtype_policy)
            for task in self.names
        ]
        self.towers = self.make_towers(self.tower_units, activation, dropout)

    def build(self, input_shape: Encoded) -> None:
        shape = input_shape.x
        for network, tower in zip(self.networks, self.towers, strict=True):
            network.build(shape)
            tower.build(network.compute_output_shape(shape))

    def call(self, inputs: Encoded, training: bool | None = None) -> dict[str, Any]:
        return self.logits(self.towers, [network(inputs.x, training=training) for network in self.networks], training)

    def task_kernels(self) -> list[list[keras.Variable]]:
        return [*same_places(self.networks), *super().task_kernels()]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "tower_units": self.tower_units,
            "activation": self.activation,
            "dropout": self.dropout,
        }
