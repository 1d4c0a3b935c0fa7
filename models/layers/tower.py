"""Tower: the last, own part of a task."""

from __future__ import annotations

from typing import Any

import keras

from models.layers.mlp import MLP


@keras.saving.register_keras_serializable(package="gatewise")
class Tower(keras.layers.Layer):
    """MLP that ends in one logit, in float32 whatever the precision of the rest.

    Args:
        units: size of each hidden layer; () is a linear layer.
        activation: name of the activation after each hidden layer.
        dropout: share of the hidden outputs that is zeroed in training, at least 0 and below 1.

    Call: (batch, in) -> (batch,).

    Raises:
        InputError: a size below 1, or a rate outside [0, 1).
    """

    def __init__(self, units: tuple[int, ...], *, activation: str = "relu", dropout: float = 0.0, **layer: Any) -> None:
        super().__init__(**layer)
        self.units = tuple(units)
        self.activation = activation
        self.dropout = dropout
        self.hidden = MLP(self.units, activation=activation, dropout=dropout, name="hidden", dtype=self.dtype_policy)
        self.logit = keras.layers.Dense(1, name="logit", dtype="float32")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.hidden.build(input_shape)
        self.logit.build(self.hidden.compute_output_shape(input_shape))

    def call(self, x: Any, training: bool | None = None) -> Any:
        return keras.ops.squeeze(self.logit(self.hidden(x, training=training)), axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return tuple(input_shape[:-1])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units, "activation": self.activation, "dropout": self.dropout}
