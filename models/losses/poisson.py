"""Poisson: predicts a count."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from models.losses.base import Loss, Start


class Poisson(Loss):
    """Half the Poisson deviance; predicts the mean of counts, of which many may be 0.

    exp(z) - y z - y + y log y. The prediction is exp(z).

    The terms without z do not affect the gradient. They make the loss non-negative with a minimum of 0, as balancers that
    compare loss values require.
    """

    kind = "regression"
    labels = "0 or more, such as counts"
    at_least = 0.0
    linear = True

    def value(self, logits: Any, labels: Any) -> Any:
        positive = ops.where(labels > 0, labels, 1.0)
        return ops.exp(logits) - labels * logits + ops.where(labels > 0, labels * ops.log(positive) - labels, 0.0)

    def start(self, labels: np.ndarray, weights: np.ndarray) -> Start:
        # Half a count in all, if every count is 0.
        mean = max(np.average(labels, weights=weights), 0.5 / len(labels))
        return Start((float(np.log(mean)),), (1.0,))

    def prediction(self, logits: Any) -> Any:
        return ops.exp(logits)
