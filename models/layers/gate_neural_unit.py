"""GateNeuralUnit: factors between 0 and 2 for the numbers of another layer."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from models.layers.dense import Dense


@keras.saving.register_keras_serializable(package="gatewise")
class GateNeuralUnit(keras.layers.Layer):
    """Two dense layers that end in 2 sigmoid, with one hidden layer for all outputs.

    out_k = 2 sigmoid(relu(x @ W + b) @ V_k + c_k), around 1 before training. The sigmoid is computed in float32 in any
    precision.

    Chang et al., PEPNet, KDD 2023 (https://arxiv.org/abs/2302.01115), with the paper's factor of 2.

    Args:
        hidden_units: size of the hidden layer.
        outputs: number of factors of each output.

    Call: (batch, in) -> [(batch, size) for each size in outputs].
    """

    def __init__(self, hidden_units: int, outputs: tuple[int, ...], **layer: Any) -> None:
        super().__init__(**layer)
        self.hidden_units = hidden_units
        self.outputs = tuple(outputs)
        self.hidden = Dense(hidden_units, "relu", name="hidden", dtype=self.dtype_policy)
        self.gates = [
            Dense(size, "sigmoid", kernel_initializer="glorot_uniform", name=f"gate_{i}", dtype="float32")
            for i, size in enumerate(self.outputs)
        ]

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.hidden.build(input_shape)
        for gate in self.gates:
            gate.build((input_shape[0], self.hidden_units))

    def call(self, x: Any) -> list[Any]:
        hidden = ops.cast(self.hidden(x), "float32")
        return [ops.cast(2.0 * gate(hidden), self.compute_dtype) for gate in self.gates]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "hidden_units": self.hidden_units, "outputs": self.outputs}
