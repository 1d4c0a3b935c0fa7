"""Dense: a dense layer with an accurate bias gradient in bfloat16."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="gatewise")
class Dense(keras.layers.Layer):
    """activation(x @ kernel + bias).

    Like keras.layers.Dense, except for the bias gradient in bfloat16 on a CPU. Keras adds a bias by TensorFlow's BiasAdd,
    whose gradient is then a sum in bfloat16, which stops growing at 256 times the contribution of an example. With 4096
    examples it was off by 15% in one measurement. This layer uses an ordinary addition, whose gradient TensorFlow sums in
    float32.

    Args:
        units: size of the output.
        activation: name of the activation, or None.
        kernel_initializer: name of an initializer.

    Call: (batch, in) -> (batch, units).
    """

    def __init__(
        self, units: int, activation: str | None = None, *, kernel_initializer: str = "he_normal", **layer: Any
    ) -> None:
        super().__init__(**layer)
        self.units = units
        self.activation = activation
        self.kernel_initializer = kernel_initializer
        self.activate = keras.activations.get(activation)
        self._draw = keras.initializers.get(kernel_initializer)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer=self._draw, name="kernel")
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")

    def call(self, x: Any) -> Any:
        # Not ops.add, which uses BiasAdd.
        return self.activate(ops.matmul(x, self.kernel) + ops.convert_to_tensor(self.bias))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "activation": self.activation,
            "kernel_initializer": self.kernel_initializer,
        }
