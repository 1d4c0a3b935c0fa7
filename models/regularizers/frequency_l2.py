"""FrequencyL2: L2 regularization of embeddings, stronger for rare values."""

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
    """L2 regularization of the embedding rows in the batch, divided by their frequency; reduces overfitting of rare ids.

    loss term = strength * sum over the distinct rows j that the batch reads of |e_j|^2 / n_j

    n_j is the number of reads of row j in training so far. Mini-batch aware regularisation of Zhou et al. 2018, "Deep
    Interest Network" (https://arxiv.org/abs/1706.06978, section 5.1), with one deviation: the paper counts n_j over
    the whole train split in advance; here it grows during training. This also works for ids without a vocabulary, and
    the term of a row keeps decreasing from the second epoch on.

    Args:
        strength: factor, 0 or more.

    Raises:
        InputError: `strength` is negative.
    """

    def __init__(self, *, strength: Strength = 1e-3) -> None:
        if strength < 0:
            raise InputError(f"frequency_l2: expected a strength of 0 or more, received {strength}.")
        self.strength = strength

    def call(self, rows: Any, shares: Any, frequencies: Any) -> Any:
        return self.strength * ops.sum(shares / frequencies * ops.sum(ops.square(rows), axis=-1))

    def get_config(self) -> dict[str, Any]:
        return {"strength": self.strength}
