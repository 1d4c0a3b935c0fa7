"""Weighted loss of a task over a batch."""

from __future__ import annotations

from typing import Any

from keras import ops

from models.losses.base import Loss
from models.losses.group_loss import GroupLoss


def weighted_mean(values: Any, weights: Any) -> Any:
    """sum(w v) / sum(w) over the batch; 0 if all weights are 0. Values of rows with weight 0 are ignored.

    Args:
        values: (batch,).
        weights: (batch,), 0 or more.
    """
    total = ops.sum(weights)
    # Multiplied before the reduction; `where` because 0 * NaN is NaN.
    product = ops.where(weights > 0, values, 0.0) * weights
    return ops.where(total > 0, ops.sum(product) / ops.where(total > 0, total, 1.0), 0.0)


def task_loss(loss: Loss, logits: Any, labels: Any, weights: Any, groups: Any = None) -> Any:
    """Weighted mean of a loss over a batch. Rows of weight 0 contribute neither to the value nor to the gradient.

    Logits and labels of these rows are replaced *before* the loss: with a `where` after it alone, a NaN or infinite loss
    would have the gradient 0 * NaN = NaN.

    Args:
        loss: loss of the task.
        logits: (batch,), or (batch, outputs) for a loss with several outputs.
        labels, weights: (batch,). Labels of weight 0 may be NaN.
        groups: (batch,) int32, for a loss that compares within groups. None: each example is a group of its own.

    Returns:
        A scalar; 0 if all weights are 0.
    """
    observed = weights > 0
    of_logits = observed if loss.outputs == 1 else ops.expand_dims(observed, -1)
    logits, labels = ops.where(of_logits, logits, 0.0), ops.where(observed, labels, harmless(loss))
    if isinstance(loss, GroupLoss) and groups is not None:
        return weighted_mean(loss.group_value(logits, labels, weights, groups), weights)
    return weighted_mean(loss.value(logits, labels), weights)


def harmless(loss: Loss) -> float:
    """A valid label of the loss."""
    if loss.above is not None and loss.above >= 0:
        return loss.above + 1.0
    return max(0.0, loss.at_least or 0.0)
