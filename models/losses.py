"""Losses from logits, and the prediction that belongs to each: no model ends in a sigmoid of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from keras import ops

from models.loss_names import LOSS_KINDS


@dataclass(frozen=True)
class Loss:
    """A loss and its link.

    `kind` is "binary" or "regression", `value(logits, labels)` the loss of each example and `prediction(logits)` what
    the model predicts; all of shape (batch,).
    """

    kind: str
    value: Callable[[Any, Any], Any]
    prediction: Callable[[Any], Any]


def binary_crossentropy(logits: Any, labels: Any) -> Any:
    """-y log p - (1 - y) log(1 - p) with p = sigmoid(z), as y softplus(-z) + (1 - y) softplus(z): stable for any z.

    The usual max(z, 0) - y z + log(1 + exp(-|z|)) has a wrong gradient at z = 0, which a new model's logits are
    wherever the tower's hidden units are all off.
    """
    return labels * ops.softplus(-logits) + (1.0 - labels) * ops.softplus(logits)


def squared_error(logits: Any, labels: Any) -> Any:
    """(z - y)^2."""
    return ops.square(logits - labels)


def absolute_error(logits: Any, labels: Any) -> Any:
    """|z - y|."""
    return ops.abs(logits - labels)


def huber(logits: Any, labels: Any) -> Any:
    """(z - y)^2 / 2 up to a distance of 1, |z - y| - 1/2 beyond it: outliers pull with a constant force."""
    distance = ops.abs(logits - labels)
    near = ops.minimum(distance, 1.0)
    return near * (distance - 0.5 * near)


def squared_log_error(logits: Any, labels: Any) -> Any:
    """(z - log(1 + y))^2 for amounts y > -1 over several orders of magnitude."""
    return ops.square(logits - ops.log1p(labels))


def poisson(logits: Any, labels: Any) -> Any:
    """exp(z) - y z - y + y log y for counts y >= 0: half the deviance of a Poisson distribution with mean exp(z).

    The terms without z make the loss 0 at its best and never negative, which balancers that weigh the sizes of the
    losses need; they move no gradient.
    """
    positive = ops.where(labels > 0, labels, 1.0)
    return ops.exp(logits) - labels * logits + ops.where(labels > 0, labels * ops.log(positive) - labels, 0.0)


def _identity(logits: Any) -> Any:
    return logits


LOSSES = {
    "binary_crossentropy": Loss(LOSS_KINDS["binary_crossentropy"], binary_crossentropy, ops.sigmoid),
    "squared_error": Loss(LOSS_KINDS["squared_error"], squared_error, _identity),
    "absolute_error": Loss(LOSS_KINDS["absolute_error"], absolute_error, _identity),
    "huber": Loss(LOSS_KINDS["huber"], huber, _identity),
    "squared_log_error": Loss(LOSS_KINDS["squared_log_error"], squared_log_error, ops.expm1),
    "poisson": Loss(LOSS_KINDS["poisson"], poisson, ops.exp),
}


def weighted_mean(values: Any, weights: Any) -> Any:
    """sum(w v) / sum(w) over the batch; 0 where no weight is given, and rows of weight 0 may hold anything.

    Args:
        values: (batch,).
        weights: (batch,), 0 or more.
    """
    total = ops.sum(weights)
    # Multiplied before reducing; `where` because 0 * NaN is NaN.
    product = ops.where(weights > 0, values, 0.0) * weights
    return ops.where(total > 0, ops.sum(product) / ops.where(total > 0, total, 1.0), 0.0)


def task_loss(loss: Loss, logits: Any, labels: Any, weights: Any) -> Any:
    """Weighted mean of a loss over a batch, in which rows of weight 0 add nothing to the value nor to the gradient.

    Logits and labels of these rows are replaced *before* the loss: behind a `where` alone, the gradient of a loss
    that is NaN or infinite there would be 0 * NaN = NaN.

    Args:
        loss: a row of LOSSES.
        logits, labels, weights: (batch,); a label of a row of weight 0 may be NaN.

    Returns:
        A scalar; 0 where no weight is given.
    """
    observed = weights > 0
    values = loss.value(ops.where(observed, logits, 0.0), ops.where(observed, labels, 0.0))
    return weighted_mean(values, weights)
