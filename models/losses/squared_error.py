"""SquaredError: predicts a mean."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from models.losses.base import Loss, Start, mean_and_deviation


class SquaredError(Loss):
    """Squared error; predicts the mean of amounts within one order of magnitude.

    (z - y)^2.
    """

    kind = "regression"
    linear = True

    def value(self, logits: Any, labels: Any) -> Any:
        return ops.square(logits - labels)

    def start(self, labels: np.ndarray, weights: np.ndarray) -> Start:
        mean, deviation = mean_and_deviation(labels, weights)
        return Start((mean,), (deviation,))

    def prediction(self, logits: Any) -> Any:
        return logits
