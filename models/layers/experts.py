"""Experts: several MLPs of one shape, computed together."""

from __future__ import annotations

from typing import Any

import keras

from models.layers.dropout import Dropout
from models.layers.mlp import check_activation, check_sizes
from models.layers.stacked_dense import StackedDense
from models.recipe.errors import InputError


@keras.saving.register_keras_serializable(package="gatewise")
class Experts(keras.layers.Layer):
    """MLPs of one shape, each with its own weights, as stacked dense layers.

    Args:
        experts: number of MLPs.
        units: size of each layer, one or more.
        activation: name of the activation after each layer.
        dropout: dropout rate of each layer, at least 0 and below 1.

    Call: (batch, in) -> (batch, expert, units[-1]).

    Raises:
        InputError: `experts` is below 1, `units` is empty, a size is below 1, a rate is outside [0, 1), or an activation is unknown.
    """

    def __init__(
        self, experts: int, units: tuple[int, ...], *, activation: str = "relu", dropout: float = 0.0, **layer: Any
    ) -> None:
        super().__init__(**layer)
        check_sizes("experts", units, dropout)
        check_activation("experts", activation)
        if experts < 1 or not units:
            raise InputError(
                f"experts: expected at least one expert of at least one layer, received {experts} experts of {units}."
            )
        self.experts = experts
        self.units = tuple(units)
        self.activation = activation
        self.dropout = dropout
        self.stack = [
            StackedDense(experts, size, activation=activation, name=f"stack_{i}", dtype=self.dtype_policy)
            for i, size in enumerate(self.units)
        ]
        self.drop = [Dropout(dropout, dtype=self.dtype_policy) for _ in self.units] if dropout else []

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        for layer in self.stack:
            layer.build(input_shape)
            input_shape = layer.compute_output_shape(input_shape)

    def call(self, x: Any, training: bool | None = None) -> Any:
        for i, layer in enumerate(self.stack):
            x = layer(x)  # (batch, expert, units[i])
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
