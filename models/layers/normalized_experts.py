"""NormalizedExperts: experts whose outputs have one scale."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from models.layers.dropout import Dropout
from models.layers.mlp import check_activation, check_sizes
from models.layers.stacked_dense import StackedDense


@keras.saving.register_keras_serializable(package="gatewise")
class NormalizedExperts(keras.layers.Layer):
    """MLPs of one shape with a normalization before each activation, so that a gate compares experts of equal scale.

    h_e = activation(scale_e (z - mean(z)) / sqrt(variance(z) + 1e-3) + shift_e), z = h_e W_e + b_e, per layer, with mean
    and variance over the units of one example (layer normalization), in float32 in any precision.

    Args:
        experts: number of MLPs.
        units: size of each layer, one or more.
        activation: name of the activation after each layer.
        dropout: dropout rate of each layer, at least 0 and below 1.

    Call: (batch, in) or (batch, expert, in) -> (batch, expert, units[-1]).

    Raises:
        InputError: a size is below 1, a rate is outside [0, 1), or an activation is unknown.
    """

    def __init__(
        self, experts: int, units: tuple[int, ...], *, activation: str = "silu", dropout: float = 0.0, **layer: Any
    ) -> None:
        super().__init__(**layer)
        check_sizes("experts", units, dropout)
        check_activation("experts", activation)
        self.experts = experts
        self.units = tuple(units)
        self.activation = activation
        self.dropout = dropout
        self.activate = keras.activations.get(activation)
        self.stack = [
            StackedDense(experts, size, name=f"stack_{i}", dtype=self.dtype_policy) for i, size in enumerate(self.units)
        ]
        self.drop = [Dropout(dropout, dtype=self.dtype_policy) for _ in self.units] if dropout else []

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.scales, self.shifts = (
            [
                self.add_weight(shape=(self.experts, size), initializer=start, autocast=False, name=f"{name}_{i}")
                for i, size in enumerate(self.units)
            ]
            for name, start in (("scale", "ones"), ("shift", "zeros"))
        )
        for layer in self.stack:
            layer.build(input_shape)
            input_shape = layer.compute_output_shape(input_shape)

    def call(self, x: Any, training: bool | None = None) -> Any:
        for i, (layer, scale, shift) in enumerate(zip(self.stack, self.scales, self.shifts, strict=True)):
            x = ops.cast(layer(x), "float32")  # (batch, expert, units[i])
            mean, variance = ops.moments(x, axes=-1, keepdims=True)
            x = self.activate((x - mean) * ops.rsqrt(variance + 1e-3) * scale + shift)
            x = ops.cast(x, self.compute_dtype)
            if self.drop:
                x = self.drop[i](x, training=training)
        return x

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], self.experts, self.units[-1])

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "experts": self.experts,
            "units": self.units,
            "activation": self.activation,
            "dropout": self.dropout,
        }
