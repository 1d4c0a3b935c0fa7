"""Losses from outside: known to no table, named in a recipe by their dotted path."""

from __future__ import annotations

from typing import Any

from keras import ops

from models.losses.base import Loss

KIND = "regression"


class GammaPlus(Loss):
    """Two logits for an amount above 0: the deviance of its rate, and a squared guess of its logarithm.

    y exp(-a) + a - log y - 1 + (b - log y)^2. The prediction is exp(a).
    """

    kind = "regression"
    outputs = 2
    labels = "greater than 0, because of log(y)"
    above = 0.0

    def value(self, logits: Any, labels: Any) -> Any:
        log_rate, guess = logits[:, 0], logits[:, 1]
        log = ops.log(labels)
        return labels * ops.exp(-log_rate) + log_rate - log - 1.0 + ops.square(guess - log)

    def prediction(self, logits: Any) -> Any:
        return ops.exp(logits[:, 0])


class BelowZero(GammaPlus):
    """Another's subclass, which has its facts but one."""

    negative = True


class Unsaid(Loss):
    """Its kind is no literal."""

    kind = KIND  # type: ignore[assignment]

    def value(self, logits: Any, labels: Any) -> Any:
        return logits - labels

    def prediction(self, logits: Any) -> Any:
        return logits


class NoLoss:
    """Of no use as a loss."""
