"""SquaredLogError: a squared error on the logarithmic scale."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from models.losses.base import Loss, Start, mean_and_deviation


class SquaredLogError(Loss):
    """Squared error of log(1 + label); predicts a typical value, below the mean, of amounts over several orders of magnitude.

    (z - log(1 + y))^2. The prediction is exp(z) - 1.
    """

    kind = "regression"
    labels = "greater than -1, because of log(1 + y)"
    above = -1.0

    def value(self, logits: Any, labels: Any) -> Any:
        return ops.square(logits - ops.log1p(labels))

    def start(self, labels: np.ndarray, weights: np.ndarray) -> Start:
        mean, deviation = mean_and_deviation(np.log1p(labels), weights)
        return Start((mean,), (deviation,))

    def prediction(self, logits: Any) -> Any:
        return ops.expm1(logits)
