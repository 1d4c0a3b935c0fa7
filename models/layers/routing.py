"""Routing: the connections from the sub-networks of one level to those of the next."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from models.layers.hard_concrete import HardConcrete


@keras.saving.register_keras_serializable(package="gatewise")
class Routing(keras.layers.Layer):
    """Sums the outputs of sub-networks for each reader by gates, which training can close.

    out[b, j] = sum_i z[i, j] x[b, i] @ W[i, j], or without W: sum_i z[i, j] x[b, i]; z from `HardConcrete`

    Args:
        networks: number of sub-networks.
        readers: number of readers.
        transform: whether each connection has a matrix W of its own.

    Call: (batch, sub-network, dim) -> (batch, reader, dim).
    """

    def __init__(self, networks: int, readers: int, *, transform: bool = True, **layer: Any) -> None:
        super().__init__(**layer)
        self.networks = networks
        self.readers = readers
        self.transform = transform
        self.gates = HardConcrete((networks, readers), name="gates", dtype="float32")

    def build(self, input_shape: tuple[Any, ...]) -> None:
        dim = input_shape[-1]
        self.gates.build()
        if self.transform:
            limit = (3.0 / dim) ** 0.5  # Glorot's, of one matrix
            self.kernel = self.add_weight(
                shape=(self.networks, self.readers, dim, dim),
                initializer=keras.initializers.RandomUniform(-limit, limit),
                name="kernel",
            )

    def call(self, x: Any, training: bool | None = None) -> Any:
        z = ops.cast(self.gates(training=training), x.dtype)
        if not self.transform:
            return ops.einsum("ij,bid->bjd", z, x)
        wide, dim = self.networks * x.shape[-1], x.shape[-1]
        # One product for all connections.
        gated = ops.transpose(ops.expand_dims(z, (2, 3)) * self.kernel, (0, 2, 1, 3))  # (sub-network, in, reader, out)
        product = ops.matmul(ops.reshape(x, (-1, wide)), ops.reshape(gated, (wide, self.readers * dim)))
        return ops.reshape(product, (-1, self.readers, dim))

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        return (input_shape[0], self.readers, input_shape[2])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "networks": self.networks, "readers": self.readers, "transform": self.transform}
