"""StackedDense: the dense layers of all experts as one computation."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="gatewise")
class StackedDense(keras.layers.Layer):
    """One dense layer per expert, computed together.

    out[b, e] = activation(x[b, e] @ kernel[e] + bias[e]); an input without an expert axis is passed to every expert.

    Args:
        experts: number of layers in the stack.
        units: output size of each layer.
        activation: name of the activation, or None.
        kernel_initializer: name of an initializer, not an object: one initializer object with a seed would give all
            experts the same kernels. It gets the shape (in, units) of one expert, because Keras would read the expert
            axis of (expert, in, units) as the window of a convolution and compute a wrong fan-in.

    Call: (batch, in) or (batch, expert, in) -> (batch, expert, units). With `first`, the number of layers to compute, only
        the first layers of the stack are computed, for an input without an expert axis or with that many.
    """

    def __init__(
        self,
        experts: int,
        units: int,
        *,
        activation: str | None = None,
        kernel_initializer: str = "he_normal",
        **layer: Any,
    ) -> None:
        super().__init__(**layer)
        self.experts = experts
        self.units = units
        self.activation = activation
        self.kernel_initializer = kernel_initializer
        self.activate = keras.activations.get(activation)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        def draw(shape: tuple[int, ...], dtype: Any = None) -> Any:
            return ops.stack(
                [keras.initializers.get(self.kernel_initializer)(shape[1:], dtype=dtype) for _ in range(shape[0])]
            )

        self.kernel = self.add_weight(
            shape=(self.experts, input_shape[-1], self.units), initializer=draw, name="kernel"
        )
        self.bias = self.add_weight(shape=(self.experts, self.units), initializer="zeros", name="bias")

    def call(self, x: Any, first: int | None = None) -> Any:
        # Whole variables where all are read: a slice would be one more operation in a step.
        kernel, bias = (self.kernel, self.bias) if first is None else (self.kernel[:first], self.bias[:first])
        of = self._of_float32 if self.compute_dtype == "float32" else self._of_halves
        return of(x, kernel, bias)

    def _of_float32(self, x: Any, kernel: Any, bias: Any) -> Any:
        # With XLA, separate matrix products make a step a sixth faster than one product with an expert axis.
        experts = kernel.shape[0]
        if len(x.shape) == 2:
            side_by_side = ops.reshape(ops.transpose(kernel, (1, 0, 2)), (-1, experts * self.units))
            products = ops.reshape(ops.matmul(x, side_by_side), (-1, experts, self.units))
        else:
            products = ops.stack([ops.matmul(x[:, e], kernel[e]) for e in range(experts)], axis=1)
        return self.activate(products + bias)

    def _of_halves(self, x: Any, kernel: Any, bias: Any) -> Any:
        # bfloat16 is fast on a CPU only without XLA. There, a product with the expert axis first is a fifth faster than with
        # the axis in the middle. Between two layers the transpositions cancel out.
        in_front = ops.expand_dims(x, 0) if len(x.shape) == 2 else ops.transpose(x, (1, 0, 2))
        products = ops.matmul(in_front, kernel) + ops.expand_dims(bias, 1)  # (expert, batch, units)
        return ops.transpose(self.activate(products), (1, 0, 2))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], self.experts, self.units)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "experts": self.experts,
            "units": self.units,
            "activation": self.activation,
            "kernel_initializer": self.kernel_initializer,
        }
