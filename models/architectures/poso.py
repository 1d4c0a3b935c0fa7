"""POSO: networks for groups of users, mixed by gates from the user's features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import keras
from keras import ops

from models.architectures.base import Architecture
from models.architectures.encoded import Encoded, Wants
from models.architectures.task_info import TaskInfo
from models.layers.dense import Dense
from models.layers.experts import Experts
from models.layers.gate import mix

if TYPE_CHECKING:
    from models.recipe.option_types import Activation, Dropout, ExpertCount, FeatureNames, Layers, LayersOrNone, Size


@keras.saving.register_keras_serializable(package="gatewise")
class POSO(Architecture):
    """Gives groups of users shared networks of their own, mixed by gates from chosen features; suits new users drowned by regular ones.

    logit_t = tower_t(y), y = C sum_g gate_g(u) net_g(x), gate(u) = sigmoid(relu(u W + b) V + c), C = 2 / groups.

    u are the features in `by`, which tell the groups apart, such as the age of the account. Each gate is between 0 and 1,
    and they need not sum to 1. With gates of 1/2, y is the mean of the networks.

    Dai et al., POSO: Personalized Cold Start Modules for Large-scale Recommender Systems, 2021
    (https://arxiv.org/abs/2108.04690). Deviations: the module is the shared network below the towers, in the general form of
    the paper, not its MLP with a gate for each unit; C, free in the paper, is fixed.

    Args:
        tasks: tasks in the order of the label columns.
        by: features that the gates read. (): x.
        groups: number of networks.
        units: sizes of the layers of each network.
        gate_units: size of the hidden layer of the gates.
        tower_units: sizes of the hidden layers of each task's tower.
        activation: name of the activation of networks and towers.
        dropout: dropout rate of each layer of networks and towers.
    """

    user_once: ClassVar[bool] = True

    def __init__(
        self,
        tasks: tuple[TaskInfo, ...],
        *,
        by: FeatureNames = (),
        groups: ExpertCount = 4,
        units: Layers = (128, 64),
        gate_units: Size = 32,
        tower_units: LayersOrNone = (32,),
        activation: Activation = "relu",
        dropout: Dropout = 0.0,
        **layer: Any,
    ) -> None:
        super().__init__(tasks, **layer)
        self.by = tuple(by)
        self.groups = groups
        self.units = tuple(units)
        self.gate_units = gate_units
        self.tower_units = tuple(tower_units)
        self.activation = activation
        self.dropout = dropout
        policy = self.dtype_policy
        self.gate_hidden = Dense(gate_units, "relu", name="gate_hidden", dtype=policy)
        self.gate = Dense(groups, "sigmoid", kernel_initializer="glorot_uniform", name="gate", dtype="float32")
        self.shared = Experts(groups, self.units, activation=activation, dropout=dropout, name="networks", dtype=policy)
        self.towers = self.make_towers(self.tower_units, activation, dropout)

    def wants(self) -> Wants:
        return Wants(parts=self.by)

    def build(self, input_shape: Encoded) -> None:
        read = sum(input_shape.parts[name][-1] for name in self.by) if self.by else input_shape.x[-1]
        self.gate_hidden.build((None, read))
        self.gate.build((None, self.gate_units))
        self.shared.build(input_shape.x)
        for tower in self.towers:
            tower.build((None, self.units[-1]))

    def call(self, inputs: Encoded, training: bool | None = None) -> dict[str, Any]:
        u = ops.concatenate([inputs.parts[name] for name in self.by], axis=-1) if self.by else inputs.x
        gate = 2.0 / self.groups * self.gate(ops.cast(self.gate_hidden(u), "float32"))
        y = mix(ops.cast(gate, self.compute_dtype), self.shared(inputs.x, training=training))
        return self.logits(self.towers, [y] * len(self.tasks), training)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "by": self.by,
            "groups": self.groups,
            "units": self.units,
            "gate_units": self.gate_units,
            "tower_units": self.tower_units,
            "activation": self.activation,
            "dropout": self.dropout,
        }
