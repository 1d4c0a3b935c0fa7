"""How much each cluster of rows moves a metric: the infinitesimal jackknife.

The influence of row i on a metric T is dT / d log w_i, the derivative by a relative change of the row's weight. The influences of
all rows of a slice add up to 0. Below, w is a row's weight, y its label, p its prediction, W and P the weights of all rows and
of the positives, N = W - P:

- quotient R = sum w a / sum w b:  w (a - R b) / sum w b, times the derivative of what is applied to R (rmse: 1 / (2 sqrt R)).
- AUC:     w (V - AUC) / P for a positive, w (V - AUC) / N for a negative. V is DeLong's structural component: the share of the
           other class's weight on the right side of p; ties count half.
- PR-AUC:  w / P * [y (precision(p) - AP) + y A(p) - B(p)], with A(p) = sum over the positives i with p_i <= p of w_i / n_i, and
           B(p) the same sum with w_i precision_i / n_i. n_i is the weight of all rows with predictions of at least p_i.
- GAUC:    of a whole group, W_g (AUC_g - GAUC) / sum_g W_g. Groups are the clusters.

The squares of the clusters' sums add up to the variance of T over samples of clusters.

References:
    Efron, The Jackknife, the Bootstrap and Other Resampling Plans, SIAM 1982, chapter 6.
    DeLong, DeLong, Clarke-Pearson, Biometrics 44 (1988); Obuchowski, Biometrics 53 (1997), for clusters.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluation.clusters import Clusters
from components.evaluation.means import CHUNK_ROWS, QUOTIENTS, TERMS
from components.evaluation.ordering import radix_argsort
from components.evaluation.ranking import GroupMeans, Order, Ranked, mixed_groups, ratio
from components.evaluation.runs import Array, Ordered, number_runs, positive_runs
from components.evaluation.scores import Scores
from components.evaluation.slices import Indices, Slicing

# A sum of weights below this share of another one is 0 but for rounding.
ROUNDING = 1e-9


@dataclasses.dataclass(frozen=True, kw_only=True)
class Influence:
    """The value of one metric in each slice, (slices,), and the sum of the influences in each cluster, (clusters,).

    `units`: (slices,) number of clusters that carry information: for a metric of both classes, those with the rarer class.
    """

    values: Array
    sums: Array
    units: NDArray[np.int64]


def influences(
    names: Iterable[str], scores: Scores, order: Order | None, slicing: Slicing, clusters: Clusters, binary: bool
) -> dict[str, Influence]:
    """The influences on each metric.

    Args:
        names: metrics; those without influences (counts) are ignored.
        scores: scores of the task, n rows.
        order: order of the same rows; None if no area is asked for.
        slicing: slices of the same rows.
        clusters: clusters of the same rows in these slices.
        binary: whether the labels are classes.
    """
    names = set(names)
    quotients = [name for name in QUOTIENTS if name in names]
    added = _sums(scores, clusters, {"weight", "positive", *(t for name in quotients for t in QUOTIENTS[name][:2])})
    weight, positive = added["weight"], added["positive"]
    negative = weight - positive
    negative[negative < ROUNDING * weight] = 0.0
    units = clusters.by_slice(weight > 0)
    if binary:
        units = np.minimum(clusters.by_slice(positive > 0), clusters.by_slice(negative > 0))
    found: dict[str, tuple[Array, Array, Array]] = {}
    for name in quotients:
        over, under, _ = QUOTIENTS[name]
        total = clusters.by_slice(added[under])
        value = _quotient(clusters.by_slice(added[over]), total)
        scale = _quotient(np.ones(len(total)), total)
        if name == "rmse":
            scale = _quotient(scale, 2.0 * np.sqrt(value))
        sums = clusters.to_clusters(scale) * added[over] - clusters.to_clusters(scale * value) * added[under]
        found[name] = (np.sqrt(value) if name == "rmse" else value, sums, units)
    if order is not None and names & {"auc", "pr_auc"}:
        curves = _Curves(clusters.by_slice(positive), clusters.by_slice(negative), clusters)
        for rows in order.passes:
            curves.add(order.ranked, rows, slicing)
        found["auc"] = (*curves.auc(positive, negative), units)
        found["pr_auc"] = (*curves.pr_auc(positive, weight), units)
    if order is not None and "gauc" in names and order.ranked.groups is not None:
        found["gauc"] = _grouped(order, clusters)
    return {
        name: Influence(values=value[:-1], sums=sums, units=many[:-1].astype(np.int64))
        for name, (value, sums, many) in found.items()
        if name in names
    }


def _quotient(over: Array, under: Array) -> Array:
    return np.divide(over, under, out=np.full(len(over), np.nan), where=under != 0.0)


def _sums(scores: Scores, clusters: Clusters, terms: set[str]) -> dict[str, Array]:
    """Term -> its weighted sum in each cluster."""
    found = {term: np.zeros(int(clusters.counts.sum())) for term in sorted(terms)}
    for start in range(0, len(scores.labels), CHUNK_ROWS):
        chunk = slice(start, start + CHUNK_ROWS)
        counted = (scores.weights[chunk] > 0) & np.isfinite(scores.predictions[chunk])
        rows: Any = slice(None) if counted.all() else np.flatnonzero(counted)
        y, p, w = (
            values[chunk][rows].astype(np.float64) for values in (scores.labels, scores.predictions, scores.weights)
        )
        numbers = clusters.numbers[chunk][rows]
        for term, total in found.items():
            np.add.at(total, numbers, TERMS[term](y, p) * w)
    return found


class _Curves:
    """The sums of AUC's and PR-AUC's influences in each cluster, rows taken from the top down.

    What is not known before the last row, AUC, AP and the whole sums A and B, enters each influence linearly, so it is added
    to the clusters' sums at the end.
    """

    def __init__(self, positives: Array, negatives: Array, clusters: Clusters) -> None:
        self._positives, self._negatives, self._clusters = positives, negatives, clusters
        self._ordered, self._precise = np.zeros((2, int(clusters.counts.sum())))
        # Of the rows so far, in each slice: weights of all and of the positives; A, B and P * AP.
        self._above, self._positives_above, self._a, self._b, self._average = np.zeros((5, len(negatives)))

    def add(self, ranked: Ranked, rows: NDArray[Any], slicing: Slicing) -> None:
        """Takes the next rows, by falling prediction."""
        codes = slicing.codes[rows]
        runs = number_runs(ranked.predictions[rows])
        sizes = np.bincount(codes, minlength=len(self._negatives))
        there = np.flatnonzero(sizes)
        if len(there) > 1:
            order = radix_argsort(codes)
            rows, runs = rows[order], runs[order]
        positive = ranked.positive[rows]
        weights = None if ranked.weights is None else ranked.weights[rows].astype(np.float64)
        firsts = (np.cumsum(sizes) - sizes)[there]
        found = positive_runs(Ordered(positive=positive, weights=weights, runs=runs), firsts)
        slice_ = there[found.segments]
        # Of each run with a positive, (runs,).
        above = self._above[slice_] + found.above
        positives_above = self._positives_above[slice_] + found.positives_above
        upto = above + found.weights
        precision = (positives_above + found.positives) / upto
        share = found.positives / upto
        b_before = self._b.copy()
        a, b = _before(share, slice_, self._a), _before(share * precision, slice_, self._b)
        below = self._negatives[slice_] - (above - positives_above) - (found.weights - found.positives) / 2.0
        # A negative's values change where a slice, a run with a positive, and what follows that run start.
        starts = np.concatenate([found.ends, firsts, found.starts])
        order = np.argsort(starts, kind="stable")
        lengths = np.diff(starts[order], append=len(rows))
        middle = positives_above + found.positives / 2.0
        ordered = [positives_above + found.positives, self._positives_above[there], middle]
        precise = [b + share * precision, b_before[there], b]
        hits, numbers = np.flatnonzero(positive), self._clusters.numbers[rows]
        for total, negatives, positives in (
            (self._ordered, ordered, below),
            (self._precise, precise, precision - a + b),
        ):
            values = np.repeat(np.concatenate(negatives)[order], lengths)
            values[hits] = np.repeat(positives, found.hits)
            np.add.at(total, numbers, values if weights is None else values * weights)
        self._average += np.bincount(slice_, found.positives * precision, len(sizes))
        self._positives_above += np.bincount(slice_, found.positives, len(sizes))
        self._above[there] += sizes[there] if weights is None else np.add.reduceat(weights, firsts)

    def auc(self, positive: Array, negative: Array) -> tuple[Array, Array]:
        """The values by slice and the sums by cluster.

        Args:
            positive, negative: (clusters,) weights of the classes.
        """
        clusters, pairs = self._clusters, self._positives * self._negatives
        value = ratio(clusters.by_slice(self._ordered) / 2.0, pairs)
        part = [ratio(value, total) for total in (self._positives, self._negatives)]
        sums = clusters.to_clusters(ratio(np.ones(len(pairs)), pairs)) * self._ordered
        sums -= clusters.to_clusters(part[0]) * positive
        sums -= clusters.to_clusters(part[1]) * negative
        return value, sums

    def pr_auc(self, positive: Array, weight: Array) -> tuple[Array, Array]:
        """The values by slice and the sums by cluster.

        Args:
            positive, weight: (clusters,) weights of the positives and of all rows.
        """
        value = ratio(self._average, self._positives)
        moved = self._precise + self._clusters.to_clusters(self._a - value) * positive
        moved -= self._clusters.to_clusters(self._b) * weight
        return value, moved * self._clusters.to_clusters(ratio(np.ones(len(value)), self._positives))


def _before(values: Array, slice_: Indices, carried: Array) -> Array:
    """The sum of the values before each one in its slice, and of what is carried in, to which the values are then added."""
    before = np.cumsum(values) - values
    heads = np.flatnonzero(np.diff(slice_, prepend=-1))
    offsets = carried[slice_[heads]] - before[heads]
    before += np.repeat(offsets, np.diff(heads, append=len(values)))
    carried += np.bincount(slice_, values, len(carried))
    return before


def _grouped(order: Order, clusters: Clusters) -> tuple[Array, Array, Array]:
    """GAUC by slice, its influences by cluster, and the number of groups with both classes. A cluster is a slice here."""
    means = GroupMeans(int(clusters.counts.sum()))
    for rows in mixed_groups(order.ranked, order.rows):
        one = order.ranked.ordered(rows, grouped=True)
        means.add(one, clusters.numbers[rows].astype(np.uint32))
    area, weight = np.nan_to_num(means.value), means.weight
    total = clusters.by_slice(weight)
    value = ratio(clusters.by_slice(weight * area), total)
    scale = np.nan_to_num(ratio(np.ones(len(total)), total))
    sums = weight * (area - clusters.to_clusters(np.nan_to_num(value))) * clusters.to_clusters(scale)
    return value, sums, clusters.by_slice(weight > 0)
