"""FeatureGate: a view of the features for each expert."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from models.layers.stacked_dense import StackedDense


@keras.saving.register_keras_serializable(package="gatewise")
class FeatureGate(keras.layers.Layer):
    """Scales each feature for each expert by 0 to 2: out_e = 2 sigmoid((x A_e + a_e) B_e + b_e) x.

    A_e (in, rank) and B_e (rank, in) have a low rank, so that the gate of an expert costs less than its first layer.

    Args:
        experts: number of experts.
        rank: inner dimension, 1 or more.

    Call: (batch, in) -> (batch, expert, in).
    """

    def __init__(self, experts: int, rank: int, **layer: Any) -> None:
        super().__init__(**layer)
        self.experts = experts
        self.rank = rank

    def build(self, input_shape: tuple[Any, ...]) -> None:
        # With this initializer, the gates of a wide input start near 1.
        start, policy = "glorot_uniform", self.dtype_policy
        self.down = StackedDense(self.experts, self.rank, kernel_initializer=start, name="down", dtype=policy)
        self.up = StackedDense(
            self.experts, input_shape[-1], activation="sigmoid", kernel_initializer=start, name="up", dtype=policy
        )
        self.down.build(input_shape)
        self.up.build(self.down.compute_output_shape(input_shape))

    def call(self, x: Any) -> Any:
        return 2.0 * self.up(self.down(x)) * ops.expand_dims(x, 1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], self.experts, input_shape[-1])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "experts": self.experts, "rank": self.rank}
