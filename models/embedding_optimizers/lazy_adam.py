"""LazyAdam: Adam on the rows in the batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from models.embedding_optimizers.base import EmbeddingOptimizer

if TYPE_CHECKING:
    from models.recipe.option_types import Decay, Rate


@keras.saving.register_keras_serializable(package="gatewise")
class LazyAdam(EmbeddingOptimizer):
    """Adam that updates the moments of a row only when a batch reads the row; keeps two moments per parameter.

    m = beta_1 m + (1 - beta_1) gradient
    v = beta_2 v + (1 - beta_2) gradient^2
    row -= learning_rate sqrt(1 - beta_2^step) / (1 - beta_1^step) * m / (sqrt(v) + epsilon)

    Adam itself (Kingma and Ba 2015, https://arxiv.org/abs/1412.6980) also decays the moments of all other rows and updates
    these rows by them: a pass over the whole table. For a batch that reads every row, the step equals that of Keras'
    Adam.

    Args:
        learning_rate: learning rate, above 0.
        beta_1: decay of the first moment.
        beta_2: decay of the second moment.
        epsilon: added to the denominator for numerical stability.
    """

    def __init__(
        self,
        *,
        learning_rate: Rate = 0.001,
        beta_1: Decay = 0.9,
        beta_2: Decay = 0.999,
        epsilon: Rate = 1e-7,
        **layer: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **layer)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def state_width(self, dim: int) -> int:
        return 2 * dim

    def change(self, gradients: Any, state: Any, step: Any) -> tuple[Any, Any]:
        m, v = ops.split(state, 2, axis=-1)
        m = self.beta_1 * m + (1 - self.beta_1) * gradients
        v = self.beta_2 * v + (1 - self.beta_2) * ops.square(gradients)
        rate = self.learning_rate * ops.sqrt(1 - self.beta_2**step) / (1 - self.beta_1**step)
        return -rate * m / (ops.sqrt(v) + self.epsilon), ops.concatenate([m, v], axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
