"""RowwiseAdagrad: Adagrad with one accumulator per row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from models.embedding_optimizers.base import EmbeddingOptimizer

if TYPE_CHECKING:
    from models.recipe.option_types import Rate, Strength


@keras.saving.register_keras_serializable(package="gatewise")
class RowwiseAdagrad(EmbeddingOptimizer):
    """Adagrad with one accumulator per row, which never decays; needs much less memory than Adam.

    accumulator += mean over the row of gradient^2
    row -= learning_rate * gradient / sqrt(accumulator + epsilon)

    For a table of width 1 it equals Keras' Adagrad. For a wider table, Keras keeps one accumulator per parameter.
    Row-wise as in Mudigere et al. 2021, "High-performance, distributed training of large-scale deep learning
    recommendation models" (https://arxiv.org/abs/2104.05158), with Keras' initial accumulator.

    Args:
        learning_rate: learning rate, above 0. Adagrad usually needs a larger value than Adam.
        initial_accumulator: initial accumulator of each row.
        epsilon: added to the accumulator for numerical stability.
    """

    def __init__(
        self,
        *,
        learning_rate: Rate = 0.001,
        initial_accumulator: Strength = 0.1,
        epsilon: Rate = 1e-7,
        **layer: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **layer)
        self.initial_state = initial_accumulator
        self.epsilon = epsilon

    def state_width(self, dim: int) -> int:
        return 1

    def change(self, gradients: Any, state: Any, step: Any) -> tuple[Any, Any]:
        state = state + ops.mean(ops.square(gradients), axis=-1, keepdims=True)
        return -self.learning_rate * gradients / ops.sqrt(state + self.epsilon), state

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "initial_accumulator": self.initial_state, "epsilon": self.epsilon}
