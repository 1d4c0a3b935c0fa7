"""GroupLoss: a loss that also compares the examples of a group, such as those of a request."""

from __future__ import annotations

import abc
from typing import Any

from keras import ops

from models.losses.base import Loss


class GroupLoss(Loss):
    """A loss whose value of an example depends on the other examples of its group in the batch.

    The group is the value of the recipe's `evaluation.group_key`. Rows of weight 0 take no part. A group is cut where a batch,
    or the part of a replica, ends: its parts are not compared. `value` is the loss of an example that is alone in its group.
    """

    within_group = True

    @abc.abstractmethod
    def group_value(self, logits: Any, labels: Any, weights: Any, groups: Any) -> Any:
        """The loss of each example beside the other examples of its group.

        Args:
            logits: (batch,) float32, or (batch, outputs) for a loss with several outputs; finite.
            labels: (batch,) float32; finite.
            weights: (batch,) float32, 0 or more.
            groups: (batch,) int32, 0 or more: equal for the examples of a group, in any order.

        Returns:
            (batch,) float32; of rows of weight 0 any finite number.
        """


def pieces(groups: Any, weights: Any, longest: int | None = None) -> Any:
    """Numbers the groups of a batch from 0, cut into pieces of at most `longest` rows in the order of the batch.

    Args:
        groups: (batch,) int32, 0 or more.
        weights: (batch,). Rows of weight 0 have pieces of their own.
        longest: None: groups are not cut.

    Returns:
        (batch,) int32, below batch.
    """
    groups = ops.where(weights > 0, groups, -1)
    rows = ops.shape(groups)[0]
    order = ops.argsort(groups)
    places, first = ops.arange(rows, dtype="int32"), starts(ops.take(groups, order))
    if longest is not None:
        numbers = ops.cumsum(ops.cast(first, "int32")) - 1
        begin = ops.segment_max(ops.where(first, places, 0), numbers, num_segments=rows)
        first = ops.logical_or(first, (places - ops.take(begin, numbers)) % longest == 0)
    return ops.take(ops.cumsum(ops.cast(first, "int32")) - 1, ops.argsort(order))


def starts(numbers: Any) -> Any:
    """(row,) bool: whether a row of sorted numbers differs from the one before it."""
    return ops.concatenate([ops.ones_like(numbers[:1], dtype="bool"), numbers[1:] != numbers[:-1]], axis=0)


def sums_of(values: Any, piece: Any) -> Any:
    """(batch, ...): for each row the sum of its piece."""
    return ops.take(ops.segment_sum(values, piece, num_segments=ops.shape(piece)[0]), piece, axis=0)
