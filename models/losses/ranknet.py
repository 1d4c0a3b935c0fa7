"""RankNet: a probability that also orders the positive and negative examples of a group."""

from __future__ import annotations

from typing import Any

from keras import ops

from models.losses.group_loss import sums_of
from models.losses.pair_loss import PairLoss, Sorted


class RankNet(PairLoss):
    """Cross-entropy and the logistic loss of a group's pairs; predicts a probability and ranks clicked above unclicked examples.

        value_i = share (-y_i log p_i - (1 - y_i) log(1 - p_i)) + (1 - share) pairs(G_i),   p = sigmoid(z)
        pairs(G) = sum_(a, b in G) y_a (1 - y_b) w_a w_b log(1 + exp(z_b - z_a)) / sum_(a, b in G) y_a (1 - y_b)

    with the weights w divided by their mean in G. Without weights it is the mean over the pairs of a positive and a negative
    example, and 0 in a group with one class. Both terms are least, in expectation over independent labels, at the log odds of
    each example, so the prediction stays a probability.

    A group of more than `longest` rows is compared in pieces of that many. Time and memory grow with batch * longest.

    Burges, Shaked, Renshaw, Lazier, Deeds, Hamilton, Hullender, Learning to Rank using Gradient Descent, ICML 2005
    (https://doi.org/10.1145/1102351.1102363); beside the cross-entropy: Lin, Pan, Zhang, Xu, Yu, Wu, Liu, Jiang,
    Understanding the Ranking Loss for Recommendation with Sparse User Feedback, KDD 2024 (https://arxiv.org/abs/2403.14144).
    Deviation: the papers have no weights.

    Args:
        share: part of the cross-entropy.
        longest: limit of the rows that are compared with each other.
    """

    def of_pairs(self, rows: Sorted, others: Any, same: Any, pair_losses: Any) -> Any:
        own, other = ops.expand_dims(rows.labels, 1), ops.take(rows.labels, others)
        counted = ops.where(same > 0, own * (1.0 - other) + other * (1.0 - own), 0.0)
        sums, counts = (sums_of(ops.sum(values, axis=1), rows.piece) for values in (same * pair_losses, counted))
        return ops.where(counts > 0, sums / ops.where(counts > 0, counts, 1.0), 0.0)
