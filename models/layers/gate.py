"""Gate: the weight of each expert, per example."""

from __future__ import annotations

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="gatewise")
class Gate(keras.layers.Layer):
    """Softmax over the experts: gate(x) = softmax(x @ kernel + bias).

    The softmax is computed in float32 in any precision.

    Args:
        experts: number of experts.

    Call: (batch, in) -> (batch, expert), each row sums to 1.
    """

    def __init__(self, experts: int, **layer: Any) -> None:
        super().__init__(**layer)
        self.experts = experts
        self.dense = keras.layers.Dense(experts, "softmax", name="dense", dtype="float32")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.dense.build(input_shape)

    def call(self, x: Any) -> Any:
        return keras.ops.cast(self.dense(x), self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (*input_shape[:-1], self.experts)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "experts": self.experts}


def mix(gate: Any, experts: Any) -> Any:
    """Weighted sum of the experts: (batch, expert), (batch, expert, dim) -> (batch, dim)."""
    return keras.ops.einsum("be,bed->bd", gate, experts)
