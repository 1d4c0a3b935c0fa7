"""Tower: the task-specific last part of a network."""

from __future__ import annotations

from typing import Any

import keras

from models.layers.mlp import MLP


@keras.saving.register_keras_serializable(package="gatewise")
class Tower(keras.layers.Layer):
    """MLP that ends in the logits of a task, which are float32 in any precision.

    Args:
        units: size of each hidden layer. (): a linear layer.
        outputs: number of logits.
        activation: name of the activation after each hidden layer.
        dropout: dropout rate of each hidden layer, at least 0 and below 1.

    Call: (batch, in) -> (batch,), or (batch, outputs) for several outputs.

    Raises:
        InputError: a size below 1, or a rate outside [0, 1).
    """

    def __init__(
        self, units: tuple[int, ...], *, outputs: int = 1, activation: str = "relu", dropout: float = 0.0, **layer: Any
    ) -> None:
        super().__init__(**layer)
        self.units = tuple(units)
        self.outputs = outputs
        self.activation = activation
        self.dropout = dropout
        self.hidden = MLP(self.units, activation=activation, dropout=dropout, name="hidden", dtype=self.dtype_policy)
        self.logit = keras.layers.Dense(outputs, name="logit", dtype="float32")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.hidden.build(input_shape)
        self.logit.build(self.hidden.compute_output_shape(input_shape))

    def call(self, x: Any, training: bool | None = None) -> Any:
        return self.logits(self.hidden(x, training=training))

    def logits(self, hidden: Any) -> Any:
        """Logits from the output of the hidden layers, `self.hidden(x)`."""
        logits = self.logit(hidden)
        return keras.ops.squeeze(logits, axis=-1) if self.outputs == 1 else logits

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return tuple(input_shape[:-1]) if self.outputs == 1 else (*input_shape[:-1], self.outputs)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "outputs": self.outputs,
            "activation": self.activation,
            "dropout": self.dropout,
        }
