"""FrequencyL2: large embeddings cost, those of rare values the most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from models.recipe.errors import InputError
from models.regularizers.base import RowRegularizer

if TYPE_CHECKING:
    from models.recipe.option_types import Strength


@keras.saving.register_keras_serializable(package="gatewise")
class FrequencyL2(RowRegularizer):
    """L2 penalty on the embedding rows of the batch, divided by their frequency, against overfitting of rare ids.

    penalty = strength * sum over the distinct rows j that the batch reads of |e_j|^2 / n_j

    n_j is how often training has read row j so far. Mini-batch aware regularisation of Zhou et al. 2018, "Deep
    Interest Network" (https://arxiv.org/abs/1706.06978, section 5.1), with one deviation: there n_j counts the whole
    train split beforehand; here it grows with the training, so that ids without a vocabulary have it too, and from the
    second epoch on the cost of a row keeps falling.

    Args:
        strength: factor, 0 or more.

    Raises:
        InputError: a negative strength.
    """

    def __init__(self, *, strength: Strength = 1e-3) -> None:
        if strength < 0:
            raise InputError(f"frequency_l2: expected a strength of 0 or more, received {strength}.")
        self.strength = strength

    def call(self, rows: Any, shares: Any, frequencies: Any) -> Any:
        return self.strength * ops.sum(shares / frequencies * ops.sum(ops.square(rows), axis=-1))

    def get_config(self) -> dict[str, Any]:
        return {"strength": self.strength}
