"""SGD: gradient descent on the rows in the batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras

from models.embedding_optimizers.base import EmbeddingOptimizer

if TYPE_CHECKING:
    from models.recipe.option_types import Rate


@keras.saving.register_keras_serializable(package="gatewise")
class SGD(EmbeddingOptimizer):
    """Stochastic gradient descent on the rows in the batch, which equals descent on the whole table; keeps no state.

    row -= learning_rate * gradient

    Args:
        learning_rate: learning rate, above 0.
    """

    def __init__(self, *, learning_rate: Rate = 0.001, **layer: Any) -> None:
        super().__init__(learning_rate=learning_rate, **layer)

    def state_width(self, dim: int) -> int:
        return 0

    def change(self, gradients: Any, state: Any, step: Any) -> tuple[Any, Any]:
        return -self.learning_rate * gradients, state
