"""ZeroInflatedLognormal: predicts the mean of an amount that is mostly 0."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from keras import ops

from models.losses.base import Loss, Start, log_odds, mean_and_deviation


class ZeroInflatedLognormal(Loss):
    """Likelihood of a purchase and its lognormal amount; predicts the mean of spending that is mostly 0 and sometimes very large.

    The logits are (a, mu, b). p = sigmoid(a) is the probability of a label above 0; mu and sigma = softplus(b) are the
    mean and standard deviation of its logarithm:

        value = -log(1 - p)                                                                       if y = 0
        value = -log p + log y + log sigma + log(2 pi) / 2 + ((log y - mu) / sigma)^2 / 2         if y > 0
        prediction = p exp(mu + sigma^2 / 2)

    Wang, Liu, Miao, A Deep Probabilistic Model for Customer Lifetime Value Prediction, 2019
    (https://arxiv.org/abs/1912.07753). As in the authors' code, sigma is at least sqrt(1e-7) in the loss. Deviation: sigma
    has this floor in the prediction, too.

    The value can be negative, because a density can exceed 1: if sigma is small and y is near exp(mu), or if y is small.
    """

    kind = "regression"
    outputs = 3
    labels = "0 or more, such as spending"
    at_least = 0.0
    negative = True

    def value(self, logits: Any, labels: Any) -> Any:
        a, mu, sigma = _parts(logits)
        positive = labels > 0
        # Replaced before the logarithm: with a `where` after it alone, the gradient at y = 0 would be 0 * inf = NaN.
        log = ops.log(ops.where(positive, labels, 1.0))
        amount = log + ops.log(sigma) + 0.5 * math.log(2 * math.pi) + 0.5 * ops.square((log - mu) / sigma)
        return ops.where(positive, ops.softplus(-a) + amount, ops.softplus(a))

    def start(self, labels: np.ndarray, weights: np.ndarray) -> Start:
        positive = labels > 0
        if not positive.any():
            return Start((log_odds(positive, weights), 0.0, 0.0), (1.0, 1.0, 1.0))
        mean, deviation = mean_and_deviation(np.log(labels[positive]), weights[positive])
        return Start((log_odds(positive, weights), mean, float(np.log(np.expm1(deviation)))), (1.0, deviation, 1.0))

    def prediction(self, logits: Any) -> Any:
        a, mu, sigma = _parts(logits)
        return ops.sigmoid(a) * ops.exp(mu + 0.5 * ops.square(sigma))


def _parts(logits: Any) -> tuple[Any, Any, Any]:
    return logits[..., 0], logits[..., 1], ops.maximum(ops.softplus(logits[..., 2]), math.sqrt(1e-7))
