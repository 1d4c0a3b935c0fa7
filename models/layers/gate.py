"""Gate: the weight of each expert, per example."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from models.layers.dropout import Dropout
from models.layers.dselect_k_gate import DSelectKGate
from models.layers.softmax_gate import SoftmaxGate
from models.layers.top_k_gate import TopKGate
from models.recipe.errors import InputError

GATES: dict[str, Any] = {"softmax": SoftmaxGate, "top_k": TopKGate, "dselect_k": DSelectKGate}
"""How a gate computes the shares of the experts: (experts, k) -> a layer."""


@keras.saving.register_keras_serializable(package="gatewise")
class Gate(keras.layers.Layer):
    """Shares of the experts, by one of GATES, in float32 in any precision.

    In training, dropout sets the share of an expert of an example to 0 with a probability, and the others are divided by
    their sum (Zhao et al., Recommending What Video to Watch Next, RecSys 2019, https://doi.org/10.1145/3298689.3346997).
    If no share is left, the example keeps all of them.

    loss term = load_balance CV^2 + gate_entropy penalty, with the penalty of the gate, and CV^2 = E sum_e m_e^2 - 1, the
    squared coefficient of variation of the E experts' mean shares m_e over the batch, before dropout. It is 0 if all
    experts have the same, and E - 1 if one has all (Shazeer et al., ICLR 2017, https://arxiv.org/abs/1701.06538).

    Args:
        experts: number of experts.
        gate: name of one of GATES.
        k: number of experts that a sparse gate selects for an example, 1 to `experts`.
        gate_dropout: probability of dropping an expert in training, at least 0 and below 1.
        load_balance: factor of CV^2.
        gate_entropy: factor of the penalty.

    Call: (batch, in) -> (batch, expert), each row sums to 1.

    Raises:
        InputError: the gate is unknown, or a sparse gate has a `k` above the number of experts.
    """

    def __init__(
        self,
        experts: int,
        *,
        gate: str = "softmax",
        k: int = 2,
        gate_dropout: float = 0.0,
        load_balance: float = 0.0,
        gate_entropy: float = 0.0,
        **layer: Any,
    ) -> None:
        super().__init__(**layer)
        self.experts = experts
        self.gate = gate
        self.k = k
        self.gate_dropout = gate_dropout
        self.load_balance = load_balance
        self.gate_entropy = gate_entropy
        if gate not in GATES:
            raise InputError(f"gate: expected one of {', '.join(GATES)}, received {gate!r}.")
        self.shares = GATES[gate](experts, k, name="shares")
        self.drop = Dropout(gate_dropout, dtype="float32") if gate_dropout else None

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.shares.build(input_shape)

    def call(self, x: Any, training: bool | None = None) -> Any:
        shares, penalty = self.shares(x)
        if self.load_balance:
            self.add_loss(self.load_balance * unevenness(shares))
        if self.gate_entropy and self.gate == "dselect_k":
            self.add_loss(self.gate_entropy * penalty)
        if self.drop is not None:
            shares = renormalized(self.drop(shares, training=training), shares)
        return ops.cast(shares, self.compute_dtype)

    def of(self, x: Any) -> Any:
        """The shares (batch, expert) outside of training, without loss terms."""
        return self.shares(x)[0]

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (*input_shape[:-1], self.experts)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "experts": self.experts,
            "gate": self.gate,
            "k": self.k,
            "gate_dropout": self.gate_dropout,
            "load_balance": self.load_balance,
            "gate_entropy": self.gate_entropy,
        }


def mix(gate: Any, experts: Any) -> Any:
    """Weighted sum of the experts: (batch, expert), (batch, expert, dim) -> (batch, dim)."""
    return ops.einsum("be,bed->bd", gate, experts)


def unevenness(shares: Any) -> Any:
    """Squared coefficient of variation of the experts' mean shares: (batch, expert) -> a scalar."""
    return shares.shape[-1] * ops.sum(ops.square(ops.mean(shares, axis=0))) - 1.0


def renormalized(kept: Any, shares: Any) -> Any:
    """`kept` divided by its sum in each row, and the row of `shares` if the sum is 0."""
    total = ops.sum(kept, axis=-1, keepdims=True)
    return ops.where(total > 0.0, kept / ops.maximum(total, 1e-30), shares)
