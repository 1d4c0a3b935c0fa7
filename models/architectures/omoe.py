"""OMoE: experts shared by all tasks, and one gate for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import keras

from models.architectures.base import Architecture
from models.architectures.encoded import Encoded
from models.architectures.task_info import TaskInfo
from models.layers.experts import Experts
from models.layers.gate import Gate, mix

if TYPE_CHECKING:
    from models.recipe.option_types import (
        Activation,
        Dropout,
        ExpertCount,
        GateName,
        Layers,
        LayersOrNone,
        Strength,
    )


@keras.saving.register_keras_serializable(package="gatewise")
class OMoE(Architecture):
    """Shares experts between all tasks, mixed by one gate for all tasks; suits closely related tasks, and as a baseline of mmoe.

    logit_t = tower_t(sum_e gate(x)[e] expert_e(x)), gate(x) = softmax(x @ W + b).

    The one-gate mixture-of-experts of Ma et al., Modeling Task Relationships in Multi-task Learning with Multi-gate
    Mixture-of-Experts, KDD 2018 (https://doi.org/10.1145/3219819.3220007). Deviation: the gate has a bias.

    Args:
        tasks: tasks in the order of the label columns.
        experts: number of experts.
        units: sizes of the layers of each expert.
        tower_units: sizes of the hidden layers of each task's tower.
        activation: name of the activation.
        dropout: dropout rate of each layer.
        gate: "softmax", "top_k" (the k largest weights of an example) or "dselect_k" (learns which k).
        k: number of experts that a sparse gate gives a weight above 0, at most the experts of a gate.
        gate_dropout: probability of dropping an expert of an example in training.
        load_balance: factor of a loss term, the squared coefficient of variation of the experts' mean weights, per gate.
        gate_entropy: factor of the loss term by which dselect_k comes to select exactly k experts.
    """

    user_once: ClassVar[bool] = True

    def __init__(
        self,
        tasks: tuple[TaskInfo, ...],
        *,
        experts: ExpertCount = 6,
        units: Layers = (128, 64),
        tower_units: LayersOrNone = (32,),
        activation: Activation = "relu",
        dropout: Dropout = 0.0,
        gate: GateName = "softmax",
        k: ExpertCount = 2,
        gate_dropout: Dropout = 0.0,
        load_balance: Strength = 0.0,
        gate_entropy: Strength = 0.01,
        **layer: Any,
    ) -> None:
        super().__init__(tasks, **layer)
        self.experts = experts
        self.units = tuple(units)
        self.tower_units = tuple(tower_units)
        self.activation = activation
        self.dropout = dropout
        self.gating: dict[str, Any] = {
            "gate": gate,
            "k": k,
            "gate_dropout": gate_dropout,
            "load_balance": load_balance,
            "gate_entropy": gate_entropy,
        }
        policy = self.dtype_policy
        # Before the experts, which are then the last shared layer.
        self.gate = Gate(experts, **self.gating, name="gate", dtype=policy)
        self.shared = Experts(experts, self.units, activation=activation, dropout=dropout, name="experts", dtype=policy)
        self.towers = self.make_towers(self.tower_units, activation, dropout)

    def build(self, input_shape: Encoded) -> None:
        shape = input_shape.x
        self.shared.build(shape)
        self.gate.build(shape)
        for tower in self.towers:
            tower.build((shape[0], self.units[-1]))

    def call(self, inputs: Encoded, training: bool | None = None) -> dict[str, Any]:
        experts = self.shared(inputs.x, training=training)  # (batch, expert, dim)
        mixed = mix(self.gate(inputs.x, training=training), experts)
        return self.logits(self.towers, [mixed] * len(self.tasks), training)

    def gates(self, inputs: Encoded) -> dict[str, Any]:
        """{task: (batch, expert)} gate weights, the same for each task."""
        return dict.fromkeys(self.names, self.gate.of(inputs.x))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "experts": self.experts,
            "units": self.units,
            "tower_units": self.tower_units,
            "activation": self.activation,
            "dropout": self.dropout,
            **self.gating,
        }
