"""SoftSharing: one network per task, with a regularizer on the distance between networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import keras
from keras import ops

from models.architectures.base import Architecture, same_places
from models.architectures.encoded import Encoded
from models.architectures.task_info import TaskInfo
from models.layers.mlp import MLP
from models.layers.task_norms import TASK_NORMS
from models.recipe.errors import InputError

if TYPE_CHECKING:
    from models.recipe.option_types import Activation, Dropout, Layers, LayersOrNone, Strength


@keras.saving.register_keras_serializable(package="gatewise")
class SoftSharing(Architecture):
    """Trains one network per task and regularizes the distance between their weights; suits few tasks, some with little data.

    loss term = strength * sum over the kernels and biases of the networks without the towers of one of

        squared:   1 / pairs * sum over pairs of tasks of |w_s - w_t|^2
        distance:  1 / pairs * sum over pairs of tasks of |w_s - w_t|
        trace:     sum of the singular values of the matrix W of the rows w_t

    The division by the number of pairs makes `strength` independent of the number of tasks. `squared` suits similar tasks;
    `distance` gives way to a task that differs; `trace` suits four or more tasks with a few causes in common.

    squared: Duong et al., Low Resource Dependency Parsing: Cross-lingual Parameter Sharing in a Neural Network Parser,
    ACL 2015 (https://aclanthology.org/P15-2139). trace: Yang and Hospedales, Trace norm regularised deep multi-task
    learning, 2016 (https://arxiv.org/abs/1606.04038), with "last axis flattening". `models.layers.task_norms` has the norms
    and states their errors.

    Args:
        tasks: tasks in the order of the label columns.
        units: sizes of the layers of each task's network, one or more.
        tower_units: sizes of the hidden layers of each task's tower.
        strength: factor of the loss term, 0 or more.
        norm: norm of the difference between the tasks: squared, distance or trace.
        activation: name of the activation.
        dropout: dropout rate of each layer.

    Raises:
        InputError: `units` is empty, or `strength` is negative, which would make the networks diverge.
    """

    user_once: ClassVar[bool] = True

    def __init__(
        self,
        tasks: tuple[TaskInfo, ...],
        *,
        units: Layers = (128, 64),
        tower_units: LayersOrNone = (32,),
        strength: Strength = 1e-4,
        norm: Literal["squared", "distance", "trace"] = "squared",
        activation: Activation = "relu",
        dropout: Dropout = 0.0,
        **layer: Any,
    ) -> None:
        super().__init__(tasks, **layer)
        if strength < 0:
            raise InputError(f"soft_sharing: expected a strength of 0 or more, received {strength}.")
        if not units:
            raise InputError("soft_sharing: expected at least one layer in each network, received units=().")
        self.units = tuple(units)
        self.tower_units = tuple(tower_units)
        self.strength = strength
        self.norm = norm
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
        if len(self.tasks) > 1:
            same_place = zip(*(network.trainable_variables for network in self.networks), strict=True)
            norms = [TASK_NORMS[self.norm](ops.stack([v.value for v in variables])) for variables in same_place]
            self.add_loss(self.strength * sum(norms))
        return self.logits(self.towers, [network(inputs.x, training=training) for network in self.networks], training)

    def task_kernels(self) -> list[list[keras.Variable]]:
        return [*same_places(self.networks), *super().task_kernels()]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "tower_units": self.tower_units,
            "strength": self.strength,
            "norm": self.norm,
            "activation": self.activation,
            "dropout": self.dropout,
        }
