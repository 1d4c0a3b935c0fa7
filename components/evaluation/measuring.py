"""All metrics of all slices of one task, and their intervals. The slices share sorts and sums."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from components.evaluation.clusters import Clusters
from components.evaluation.curves import curves
from components.evaluation.influence import influences
from components.evaluation.intervals import AREAS, Interval, Spread, intervals, spread_of
from components.evaluation.means import QUOTIENTS, Sums, sums
from components.evaluation.ordering import PASS_ROWS
from components.evaluation.ranking import Areas, areas, falling_order, observed
from components.evaluation.scores import COUNTS, NOT_FINITE, Scores, Value
from components.evaluation.slices import Slicing

# Each thread holds its own pass in memory. Sorting and most additions run in parallel, without Python's lock.
MOST_THREADS = 4

Key = TypeVar("Key")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Asked:
    """Arguments of `measure_slices`. `clusters`: those of the slicings, by position, whose metrics get intervals."""

    names: tuple[str, ...]
    scores: Scores
    slicings: tuple[Slicing, ...]
    clusters: Mapping[int, Clusters] = dataclasses.field(default_factory=dict)
    binary: bool = True


@dataclasses.dataclass(frozen=True, kw_only=True)
class Slices:
    """For each slicing, for each of its slices: the metrics by name; and for the slicings with clusters, their intervals.

    `curves`: of a binary task with intervals, over all rows (`curves.py`).
    """

    metrics: list[list[dict[str, Value]]]
    intervals: dict[int, list[dict[str, Interval]]]
    curves: dict[str, dict[str, list[float]]] | None


def measure_slices(
    names: Iterable[str],
    scores: Scores,
    slicings: Sequence[Slicing],
    least: int = PASS_ROWS,
    clusters: Mapping[int, Clusters] | None = None,
    binary: bool = True,
) -> Slices:
    """The exact metrics of every slice; None if a metric has no value.

    If a slice has a prediction that is not finite, its metrics have no value, except the counts.
    Additional memory: about 20 bytes per example for each concurrent call, and with intervals 8 bytes per metric and cluster of the
    slicing with the most clusters.

    Args:
        names: metrics of `models.recipe`, COUNTS, NOT_FINITE.
        scores: scores of the task, n examples.
        slicings: slicings of the same examples.
        least: rows sorted at once, if `ordering.MOST_PASSES` are enough. It affects memory, not the result.
        clusters: position of a slicing -> its clusters, if its metrics get intervals.
        binary: whether the labels are classes.
    """
    names = list(names)
    added = sums(scores.labels, scores.predictions, scores.weights, slicings, names)
    ranked: Sequence[Areas | None] = [None] * len(slicings)
    ranks = bool(set(AREAS) & set(names))
    order = falling_order(*observed(scores), least) if ranks or (clusters and binary) else None
    if order is not None and ranks:
        weights = [(one.weight, one.positive_weight) for one in added]
        ranked = areas(order, slicings, weights, grouped="gauc" in names, least=least)
    found: dict[int, list[dict[str, Interval]]] = {}
    for at, units in (clusters or {}).items():
        moved = influences(set(names) - {"gauc"}, scores, order, slicings[at], units, binary)
        spread = {name: spread_of(influence, units) for name, influence in moved.items()}
        curve = ranked[at]
        if "gauc" in names and curve is not None:
            spread["gauc"] = Spread(values=curve.gauc, squares=curve.gauc_squares, units=curve.groups.astype(np.int64))
        broken = added[at].not_finite > 0
        by_metric = {name: intervals(name, spread[name].without(broken)) for name in names if name in spread}
        found[at] = [dict(zip(by_metric, one, strict=True)) for one in zip(*by_metric.values(), strict=True)]
    return Slices(
        metrics=[
            [_metrics(names, one, curve, code) for code in range(len(slicing.values))]
            for slicing, one, curve in zip(slicings, added, ranked, strict=True)
        ],
        intervals=found,
        curves=curves(order) if order is not None and clusters and binary else None,
    )


def measure_all(asked: Mapping[Key, Asked]) -> dict[Key, Slices]:
    """`measure_slices` for each entry, on up to MOST_THREADS cores."""
    with ThreadPoolExecutor(min(MOST_THREADS, len(os.sched_getaffinity(0)))) as threads:
        found = threads.map(
            lambda one: measure_slices(one.names, one.scores, one.slicings, clusters=one.clusters, binary=one.binary),
            asked.values(),
        )
        return dict(zip(asked, found, strict=True))


def _metrics(names: Iterable[str], added: Sums, ranked: Areas | None, code: int) -> dict[str, Value]:
    broken = int(added.not_finite[code])
    counts: Mapping[str, Value] = dict(
        zip((*COUNTS, NOT_FINITE), (int(added.examples[code]), int(added.positives[code]), broken), strict=True)
    )

    def value(name: str) -> Value:
        if name in counts:
            return counts[name]
        found = float((added.means[name] if name in QUOTIENTS else getattr(ranked, name))[code])
        return None if broken or np.isnan(found) else found

    return {name: value(name) for name in names}
