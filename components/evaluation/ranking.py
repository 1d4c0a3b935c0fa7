"""AUC, PR-AUC and GAUC of every slice of one task at once, exact: the predictions are sorted once, not once per slice.

In a segment (`runs.py`), by falling prediction, a run with positives of weight P and negatives of weight N, with
negatives of weight B below it, adds P * (B + N / 2) to the rightly ordered pairs, and P * (precision down to it) to the
average precision. Both are sums, so the rows come in passes from the top down, and memory is bounded by a pass.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluation.ordering import PASS_ROWS, falling_keys, falling_passes, in_passes, pass_rows, radix_argsort
from components.evaluation.runs import Array, Ordered, number_runs, positive_runs, weight_before
from components.evaluation.scores import Scores
from components.evaluation.slices import Indices, Slicing


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ranked:
    """All rows of a task, (n,): whether positive, predictions, weights (None: all observed ones are 1), group codes."""

    positive: NDArray[np.bool_]
    predictions: NDArray[Any]
    weights: NDArray[Any] | None
    groups: NDArray[Any] | None

    def ordered(self, rows: Indices, grouped: bool) -> Ordered:
        """Rows that are ordered by falling prediction, and before it by group, if that matters."""
        groups = self.groups[rows] if grouped and self.groups is not None else None
        predictions = self.predictions[rows]
        return Ordered(
            positive=self.positive[rows],
            weights=None if self.weights is None else self.weights[rows].astype(np.float64),
            runs=number_runs(predictions) if groups is None else number_runs(predictions, groups),
            groups=groups,
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Order:
    """The rows of one task with a finite prediction and a weight: `passes` by falling prediction, `rows` in rising order."""

    ranked: Ranked
    rows: Indices
    passes: Sequence[NDArray[Any]]


def observed(scores: Scores) -> tuple[Ranked, Indices]:
    """The rows of a task for ranking, and those with a weight and a finite prediction."""
    rows = np.flatnonzero((scores.weights > 0) & np.isfinite(scores.predictions))
    alike = bool((scores.weights[rows] == 1).all())
    ranked = Ranked(
        positive=scores.labels > 0,
        predictions=scores.predictions,
        weights=None if alike else scores.weights,
        groups=scores.groups,
    )
    return ranked, rows


def falling_order(ranked: Ranked, rows: Indices, least: int = PASS_ROWS) -> Order:
    """Sorts once for all slicings. Takes 4 bytes per row below 2**31 rows.

    Args:
        ranked: all rows of a task.
        rows: those that count, rising; their predictions are finite.
        least: rows sorted at once. It affects memory, not the result.
    """
    kind = np.int32 if not len(rows) or rows[-1] < 2**31 else np.int64
    passes = [some[order].astype(kind) for some, order in falling_passes(ranked.predictions, rows, least)]
    return Order(ranked=ranked, rows=rows, passes=passes)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Areas:
    """Of each slice of a slicing, (slices,), NaN where it has no value; defined in `tests/doubles/metric_oracle.py`.

    `gauc_squares`: the sum of the squared influences of the groups on GAUC (`influence.py`). `groups`: those with both classes.
    """

    auc: Array
    pr_auc: Array
    gauc: Array
    gauc_squares: Array
    groups: Array


def areas(
    order: Order,
    slicings: Sequence[Slicing],
    weights: Sequence[tuple[Array, Array]],
    grouped: bool,
    least: int = PASS_ROWS,
) -> list[Areas]:
    """The three areas of each slice of each slicing.

    Args:
        order: the rows of the task.
        slicings: slicings of all rows.
        weights: for each slicing, of each slice's observed rows: (their weight, that of the positives), each (slices,).
        grouped: whether GAUC is asked for; it is NaN if not.
        least: rows whose groups are sorted at once, if MOST_PASSES are enough. It changes the memory and no result.
    """
    ranked = order.ranked
    curves = [_Curves(*weight) for weight in weights]
    means = [GroupMeans(len(slicing.values)) for slicing in slicings]
    for rows in order.passes:
        one = ranked.ordered(rows, grouped=False)
        for slicing, curve in zip(slicings, curves, strict=True):
            curve.add(one, slicing.codes[rows])
    if grouped and ranked.groups is not None:
        for rows in mixed_groups(ranked, order.rows, least):
            one = ranked.ordered(rows, grouped=True)
            for slicing, mean in zip(slicings, means, strict=True):
                mean.add(one, slicing.codes[rows])
    return [
        Areas(auc=curve.auc, pr_auc=curve.pr_auc, gauc=mean.value, gauc_squares=mean.squares, groups=mean.groups)
        for curve, mean in zip(curves, means, strict=True)
    ]


class _Curves:
    """ROC and precision-recall curves of a slicing's slices, from the top down."""

    def __init__(self, weight: Array, positive_weight: Array) -> None:
        # The last place is that of the rows in no slice; nobody asks for theirs.
        self._size = len(weight) + 1
        self._positives, self._negatives = np.append(positive_weight, 0.0), np.append(weight - positive_weight, 0.0)
        self._above, self._positives_above, self._pairs, self._precision = np.zeros((4, self._size))

    def add(self, one: Ordered, codes: NDArray[Any]) -> None:
        """Takes the next rows, by falling prediction, and the codes of their slices."""
        by_slice, firsts, there = _by_slice(one, codes, self._size)
        found = positive_runs(by_slice, firsts)
        slice_ = there[found.segments]
        above = self._above[slice_] + found.above
        positives_above = self._positives_above[slice_] + found.positives_above
        pairs = found.pairs(self._negatives[slice_] - (above - positives_above))
        precision = (positives_above + found.positives) / (above + found.weights)
        self._pairs += np.bincount(slice_, pairs, self._size)
        self._precision += np.bincount(slice_, found.positives * precision, self._size)
        self._positives_above += np.bincount(slice_, found.positives, self._size)
        self._above += np.bincount(codes, one.weights, self._size)

    @property
    def auc(self) -> Array:
        return ratio(self._pairs, self._positives * self._negatives)[:-1]

    @property
    def pr_auc(self) -> Array:
        return ratio(self._precision, self._positives)[:-1]


class GroupMeans:
    """The mean of the groups' AUCs in each slice, each weighted with its impressions."""

    def __init__(self, slices: int) -> None:
        self._size = slices + 1
        self._sum, self._weight, self._groups = np.zeros((3, self._size))
        # Sums of the squared impressions, times 1, d and d^2 with d = AUC - 1/2.
        self._moments = np.zeros((3, self._size))

    def add(self, one: Ordered, codes: NDArray[Any]) -> None:
        """Takes whole groups, by (group, falling prediction), and the codes of their slices."""
        by_slice, starts, there = _by_slice(one, codes, self._size)
        assert by_slice.groups is not None
        new = np.ones(len(codes), np.bool_)
        new[1:] = by_slice.groups[1:] != by_slice.groups[:-1]
        new[starts] = True
        firsts = np.flatnonzero(new)
        found = positive_runs(by_slice, firsts)
        upto = weight_before(by_slice.weights)
        impressions = upto(np.append(firsts[1:], len(codes))) - upto(firsts)  # (segments,)
        positives = np.bincount(found.segments, found.positives, len(firsts))
        hits, rows = np.bincount(found.segments, found.hits, len(firsts)), np.diff(firsts, append=len(codes))
        # Without a negative the difference of the weights is 0 but for rounding.
        negatives = np.where(hits < rows, impressions - positives, 0.0)
        pairs = found.pairs(negatives[found.segments] - (found.above - found.positives_above))
        area = ratio(np.bincount(found.segments, pairs, len(firsts)), positives * negatives)
        both = ~np.isnan(area)
        slice_ = there[np.searchsorted(starts, firsts[both], side="right") - 1]
        self._sum += np.bincount(slice_, impressions[both] * area[both], self._size)
        self._weight += np.bincount(slice_, impressions[both], self._size)
        self._groups += np.bincount(slice_, minlength=self._size)
        term = impressions[both] ** 2
        for moment in self._moments:
            moment += np.bincount(slice_, term, self._size)
            term *= area[both] - 0.5

    @property
    def value(self) -> Array:
        """(slices,) the means."""
        return ratio(self._sum, self._weight)[:-1]

    @property
    def squares(self) -> Array:
        """(slices,) sum over the groups of (impressions (AUC - mean) / all impressions)^2."""
        zero, one, two = (ratio(moment, self._weight**2)[:-1] for moment in self._moments)
        off = self.value - 0.5
        return np.maximum(two - 2.0 * off * one + off**2 * zero, 0.0)

    @property
    def groups(self) -> Array:
        """(slices,) the groups with both classes."""
        return self._groups[:-1]

    @property
    def weight(self) -> Array:
        """(slices,) the impressions of the groups with both classes."""
        return self._weight[:-1]


def _by_slice(one: Ordered, codes: NDArray[Any], size: int) -> tuple[Ordered, Indices, Indices]:
    """The rows by (slice, order now), where the slices begin, and which slices these are: those that have rows."""
    sizes = np.bincount(codes, minlength=size)
    there = np.flatnonzero(sizes)
    starts = (np.cumsum(sizes) - sizes)[there]
    return (one.at(radix_argsort(codes)) if len(there) > 1 else one), starts, there


def mixed_groups(ranked: Ranked, rows: Indices, least: int = PASS_ROWS) -> Iterator[Indices]:
    """The rows of the groups with both classes by (group, falling prediction), whole groups in passes.

    The other groups have no AUC, in no slice: where positives are rare they hold most rows.

    Args:
        ranked: all rows of the task.
        rows: the observed ones, rising.
        least: rows of a pass, if MOST_PASSES are enough and no group has more.
    """
    groups = ranked.groups
    assert groups is not None
    count = int(groups.max(initial=-1)) + 1
    everything, positives = np.zeros((2, count), np.int64)
    # Not fewer rows at once than there are groups, or the counts would be the work.
    step = max(PASS_ROWS, count)
    for start in range(0, len(rows), step):
        some = rows[start : start + step]
        some = some[groups[some] >= 0]
        everything += np.bincount(groups[some], minlength=count)
        positives += np.bincount(groups[some[ranked.positive[some]]], minlength=count)
    mixed = (positives > 0) & (positives < everything)
    sizes = np.where(mixed, everything, 0)
    # A group's pass, from 1; 0 are those that are left out, and the last place is that of the code -1.
    each = pass_rows(int(sizes.sum()), least)
    passes = np.append(np.where(mixed, 1 + (np.cumsum(sizes) - sizes) // each, 0), 0).astype(np.uint8)
    for mine in in_passes(rows, passes[groups[rows]]):
        order = radix_argsort(falling_keys(ranked.predictions[mine]))
        yield mine[order[radix_argsort(groups[mine][order].astype(np.uint32))]]


def ratio(over: NDArray[Any], under: NDArray[Any]) -> Array:
    """over / under, NaN where that is 0."""
    return np.divide(over, under, out=np.full(len(over), np.nan), where=under > 0.0)
