"""MLP: a stack of dense layers, the basic block of the architectures."""

from __future__ import annotations

from typing import Any

import keras

from models.layers.dense import Dense
from models.layers.dropout import Dropout
from models.recipe.errors import InputError


def check_sizes(where: str, units: tuple[int, ...], dropout: float) -> None:
    """Refuses invalid layer sizes and dropout rates.

    Raises:
        InputError: a size below 1, or a rate outside [0, 1).
    """
    if any(size < 1 for size in units):
        raise InputError(
            f"{where}: expected layer sizes of 1 or more, received {tuple(units)}; write for example (128, 64)."
        )
    if not 0.0 <= dropout < 1.0:
        raise InputError(f"{where}: expected a dropout rate of at least 0 and below 1, received {dropout}.")


def check_activation(where: str, name: str) -> None:
    """Refuses an unknown activation.

    Raises:
        InputError: Keras does not have this activation.
    """
    try:
        keras.activations.get(name)
    except ValueError:
        raise InputError(
            f"{where}: unknown activation {name!r}; expected one of Keras' names, such as relu, gelu, silu or tanh."
        ) from None


@keras.saving.register_keras_serializable(package="gatewise")
class MLP(keras.layers.Layer):
    """Dense layers with an activation, and dropout after each.

    Args:
        units: size of each layer. (): the input is returned unchanged.
        activation: name of the activation after each layer.
        dropout: dropout rate of each layer, at least 0 and below 1.

    Call: (batch, in) -> (batch, units[-1]).

    Raises:
        InputError: a size below 1, a rate outside [0, 1), or an unknown activation.
    """

    def __init__(self, units: tuple[int, ...], *, activation: str = "relu", dropout: float = 0.0, **layer: Any) -> None:
        super().__init__(**layer)
        check_sizes("MLP", units, dropout)
        check_activation("MLP", activation)
        self.units = tuple(units)
        self.activation = activation
        self.dropout = dropout
        self.dense = [
            Dense(size, activation, name=f"dense_{i}", dtype=self.dtype_policy) for i, size in enumerate(self.units)
        ]
        self.drop = [Dropout(dropout, dtype=self.dtype_policy) for _ in self.units] if dropout else []

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        for layer, size in zip(self.dense, self.units, strict=True):
            layer.build(input_shape)
            input_shape = (*input_shape[:-1], size)

    def call(self, x: Any, training: bool | None = None) -> Any:
        for i, layer in enumerate(self.dense):
            x = layer(x)
            if self.drop:
                x = self.drop[i](x, training=training)
        return x

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (*input_shape[:-1], self.units[-1]) if self.units else tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units, "activation": self.activation, "dropout": self.dropout}
