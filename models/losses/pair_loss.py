"""PairLoss: cross-entropy beside a loss of the pairs of a positive and a negative example of a group."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from keras import ops

from models.losses.base import Start, log_odds
from models.losses.group_loss import GroupLoss, pieces, sums_of

if TYPE_CHECKING:
    from models.recipe.option_types import GroupLength, Share


class Sorted(NamedTuple):
    """The rows of a batch in the order of `PairLoss.order`.

    Attributes:
        piece: (batch,) int32.
        logits, labels: (batch,).
        weights: (batch,), divided by their mean in the piece.
    """

    piece: Any
    logits: Any
    labels: Any
    weights: Any


class PairLoss(GroupLoss):
    """Cross-entropy of the sigmoid, and the logistic loss of the pairs of a group.

        value_i = share (-y_i log p_i - (1 - y_i) log(1 - p_i)) + (1 - share) pairs(G_i),   p = sigmoid(z)

    A subclass says how the pairs of the group G_i add up. A group of more than `longest` rows is compared in pieces of that many.
    A row is compared with the `longest` - 1 rows after it: time and memory grow with batch * longest.

    Args:
        share: part of the cross-entropy.
        longest: limit of the rows that are compared with each other.
    """

    kind = "binary"
    labels = "0 or 1, or a share between them"

    def __init__(self, *, share: Share = 0.5, longest: GroupLength = 64) -> None:
        self.share, self.longest = share, longest

    def order(self, piece: Any, logits: Any) -> Any:
        """(batch,) int32: the order in which `of_pairs` has the rows, by piece."""
        return ops.argsort(piece)

    @abc.abstractmethod
    def of_pairs(self, rows: Sorted, others: Any, same: Any, pair_losses: Any) -> Any:
        """(batch,): `pairs` of the piece of each of the sorted rows.

        Args:
            rows: the sorted rows.
            others: (batch, longest - 1) int32: the rows that each row is compared with.
            same: (batch, longest - 1) float32: 0 where there is no other row of the piece, else w_i w_j.
            pair_losses: (batch, longest - 1): y_i (1 - y_j) log(1 + exp(z_j - z_i)) + y_j (1 - y_i) log(1 + exp(z_i - z_j)).
        """

    def value(self, logits: Any, labels: Any) -> Any:
        return self.share * (labels * ops.softplus(-logits) + (1.0 - labels) * ops.softplus(logits))

    def group_value(self, logits: Any, labels: Any, weights: Any, groups: Any) -> Any:
        piece = pieces(groups, weights, self.longest)
        order = self.order(piece, logits)
        sizes = ops.maximum(sums_of(ops.cast(weights > 0, "float32"), piece), 1.0)
        totals = sums_of(weights, piece)
        relative = weights * sizes / ops.where(totals > 0, totals, 1.0)
        rows = Sorted(*(ops.take(values, order) for values in (piece, logits, labels, relative)))
        batch = ops.shape(labels)[0]
        places = ops.expand_dims(ops.arange(batch, dtype="int32"), 1) + np.arange(1, self.longest, dtype=np.int32)
        others = ops.minimum(places, batch - 1)
        together = ops.logical_and(places < batch, ops.take(rows.piece, others) == ops.expand_dims(rows.piece, 1))
        own, other = ops.expand_dims(rows.labels, 1), ops.take(rows.labels, others)
        apart = ops.expand_dims(rows.logits, 1) - ops.take(rows.logits, others)
        losses = own * (1.0 - other) * ops.softplus(-apart) + other * (1.0 - own) * ops.softplus(apart)
        same = ops.where(together, ops.expand_dims(rows.weights, 1) * ops.take(rows.weights, others), 0.0)
        of_pairs = ops.take(self.of_pairs(rows, others, same, losses), ops.argsort(order))
        return self.value(logits, labels) + (1.0 - self.share) * of_pairs

    def start(self, labels: np.ndarray, weights: np.ndarray) -> Start:
        return Start((log_odds(labels, weights),), (1.0,))

    def prediction(self, logits: Any) -> Any:
        return ops.sigmoid(logits)
