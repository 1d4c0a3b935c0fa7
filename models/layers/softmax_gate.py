"""SoftmaxGate: a dense gate, which gives every expert a weight above 0."""

from __future__ import annotations

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="gatewise")
class SoftmaxGate(keras.layers.Layer):
    """Softmax over the experts: shares = softmax(x @ kernel + bias), in float32.

    Args:
        experts: number of experts.
        k: not used.

    Call: (batch, in) -> (batch, expert) shares, each row sums to 1; and a penalty of 0.
    """

    def __init__(self, experts: int, k: int, **layer: Any) -> None:
        super().__init__(**{**layer, "dtype": "float32"})
        self.experts = experts
        self.k = k
        self.dense = keras.layers.Dense(experts, "softmax", name="dense", dtype="float32")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.dense.build(input_shape)

    def call(self, x: Any) -> tuple[Any, Any]:
        return self.dense(x), 0.0

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "experts": self.experts, "k": self.k}
