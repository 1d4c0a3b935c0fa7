"""LambdaNDCG: a probability that also orders the examples of a group, the first places most of all."""

from __future__ import annotations

from typing import Any

from keras import ops

from models.losses.group_loss import starts, sums_of
from models.losses.pair_loss import PairLoss, Sorted


class LambdaNDCG(PairLoss):
    """Cross-entropy and a group's pairs by what swapping them does to NDCG; predicts a probability and gets the first places right.

        value_i = share (-y_i log p_i - (1 - y_i) log(1 - p_i)) + (1 - share) pairs(G_i),   p = sigmoid(z)
        pairs(G) = sum_(a, b in G) y_a (1 - y_b) w_a w_b |D_a - D_b| log(1 + exp(z_b - z_a)) / (|G| ideal(G))
        D_a = 1 / log2(1 + rank of a by z within G),   ideal(G) = sum_k D_k y_(k), with the labels in falling order

    with the weights w divided by their mean in G. |D_a - D_b| / ideal(G) is the change of NDCG if a positive and a negative
    example swap places. The ranks have no gradient. The expected gradients of both terms, over independent labels, are 0 at the
    log odds of each example, so the prediction stays a probability.

    A group of more than `longest` rows is compared, and ranked, in pieces of that many. Time and memory grow with
    batch * longest.

    Burges, From RankNet to LambdaRank to LambdaMART: An Overview, Microsoft Research MSR-TR-2010-82, 2010; as a loss: Wang, Li,
    Golbandi, Bendersky, Najork, The LambdaLoss Framework for Ranking Metric Optimization, CIKM 2018
    (https://doi.org/10.1145/3269206.3271784). Deviation: a group's sum is divided by its number of rows, so that a batch has the
    papers' sum over groups, per example; the papers have no weights and no cross-entropy.

    Args:
        share: part of the cross-entropy.
        longest: limit of the rows that are compared with each other.
    """

    def order(self, piece: Any, logits: Any) -> Any:
        return _falling(ops.stop_gradient(logits), piece)

    def of_pairs(self, rows: Sorted, others: Any, same: Any, pair_losses: Any) -> Any:
        batch = ops.shape(rows.labels)[0]
        places = ops.arange(batch, dtype="int32")
        begin = ops.segment_max(ops.where(starts(rows.piece), places, 0), rows.piece, num_segments=batch)
        discounts = 1.0 / ops.log2(ops.cast(places - ops.take(begin, rows.piece) + 2, "float32"))
        ideal = sums_of(discounts * ops.take(rows.labels, _falling(rows.labels, rows.piece)), rows.piece)
        moved = ops.abs(ops.expand_dims(discounts, 1) - ops.take(discounts, others))
        sums = sums_of(ops.sum(same * moved * pair_losses, axis=1), rows.piece)
        sizes = sums_of(ops.ones_like(rows.labels), rows.piece)
        return ops.where(ideal > 0, sums / (sizes * ops.where(ideal > 0, ideal, 1.0)), 0.0)


def _falling(values: Any, piece: Any) -> Any:
    """(batch,): the order by piece, and by falling value within a piece."""
    order = ops.argsort(-values)
    return ops.take(order, ops.argsort(ops.take(piece, order)))
