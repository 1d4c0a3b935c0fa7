"""ZeroInflatedLognormal: the loss of an amount that mostly does not come about."""

from __future__ import annotations

import math
from typing import Any

from keras import ops

from models.losses.base import Loss


class ZeroInflatedLognormal(Loss):
    """The likelihood of a purchase and of its lognormal amount: for the mean of spending that is mostly 0 and sometimes very large.

    Of the logits (a, mu, b), p = sigmoid(a) is the probability of a label above 0, mu and sigma = softplus(b) are mean
    and deviation of its logarithm:

        value = -log(1 - p)                                                                       where y = 0
        value = -log p + log y + log sigma + log(2 pi) / 2 + ((log y - mu) / sigma)^2 / 2         where y > 0
        prediction = p exp(mu + sigma^2 / 2)

    Wang, Liu, Miao, A Deep Probabilistic Model for Customer Lifetime Value Prediction, 2019
    (https://arxiv.org/abs/1912.07753). As in the authors' code, sigma is at least sqrt(1e-7) in the loss. Deviations: sigma
    has this floor in the prediction too; there is no other.

    A density can be above 1, so the value can be below 0: where sigma is small and y near exp(mu), or y is small.
    """

    kind = "regression"
    outputs = 3
    labels = "0 or more, as spending is"
    at_least = 0.0
    negative = True

    def value(self, logits: Any, labels: Any) -> Any:
        a, mu, sigma = _parts(logits)
        positive = labels > 0
        # Replaced before the logarithm: behind a `where` alone, the gradient at y = 0 would be 0 * inf = NaN.
        log = ops.log(ops.where(positive, labels, 1.0))
        amount = log + ops.log(sigma) + 0.5 * math.log(2 * math.pi) + 0.5 * ops.square((log - mu) / sigma)
        return ops.where(positive, ops.softplus(-a) + amount, ops.softplus(a))

    def prediction(self, logits: Any) -> Any:
        a, mu, sigma = _parts(logits)
        return ops.sigmoid(a) * ops.exp(mu + 0.5 * ops.square(sigma))


def _parts(logits: Any) -> tuple[Any, Any, Any]:
    return logits[..., 0], logits[..., 1], ops.maximum(ops.softplus(logits[..., 2]), math.sqrt(1e-7))
