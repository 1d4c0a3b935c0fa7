"""Poisson: the loss of a count."""

from __future__ import annotations

from typing import Any

from keras import ops

from models.losses.base import Loss


class Poisson(Loss):
    """Half the deviance of a Poisson distribution: for the mean of counts, many of which may be 0.

    exp(z) - y z - y + y log y. The prediction is exp(z).

    The terms without z make the loss 0 at its best and never negative, which balancers that weigh the sizes of the
    losses need; they move no gradient.
    """

    kind = "regression"
    labels = "0 or more, as counts are"
    at_least = 0.0

    def value(self, logits: Any, labels: Any) -> Any:
        positive = ops.where(labels > 0, labels, 1.0)
        return ops.exp(logits) - labels * logits + ops.where(labels > 0, labels * ops.log(positive) - labels, 0.0)

    def prediction(self, logits: Any) -> Any:
        return ops.exp(logits)
