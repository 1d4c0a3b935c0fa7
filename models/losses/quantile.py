"""Quantile: predicts a quantile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops

from models.losses.base import Loss, Start, median_and_deviation

if TYPE_CHECKING:
    from models.recipe.option_types import InnerShare


class Quantile(Loss):
    """Pinball loss; predicts a quantile, such as an amount that 90 % of the labels stay below.

    q (y - z) if y > z, (1 - q) (z - y) otherwise, computed as |y - z| / 2 + (q - 1/2) (y - z). The quantile q of 0.5 gives half
    the absolute error and predicts the median.

    A quantile is no mean: the metric `calibration` of the task is not near 1, and its default gates may refuse the model.

    Koenker, Bassett, Regression Quantiles, Econometrica 46, 1978 (https://doi.org/10.2307/1913643).

    Args:
        quantile: share of the labels below the prediction.
    """

    kind = "regression"

    def __init__(self, *, quantile: InnerShare = 0.5) -> None:
        self.quantile = quantile

    def value(self, logits: Any, labels: Any) -> Any:
        above = labels - logits
        return 0.5 * ops.abs(above) + (self.quantile - 0.5) * above

    def start(self, labels: np.ndarray, weights: np.ndarray) -> Start:
        quantile, distance = median_and_deviation(labels, weights, self.quantile)
        return Start((quantile,), (distance,))

    def prediction(self, logits: Any) -> Any:
        return logits
