"""All metrics of all slices of one task. The slices share sorts and sums."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from components.evaluation.means import QUOTIENTS, Sums, sums
from components.evaluation.ordering import PASS_ROWS
from components.evaluation.ranking import Areas, Ranked, areas
from components.evaluation.scores import COUNTS, NOT_FINITE, Scores, Value
from components.evaluation.slices import Slicing

AREAS = ("auc", "pr_auc", "gauc")
# Each thread holds its own pass in memory. Sorting and most additions run in parallel, without Python's lock.
MOST_THREADS = 4

Key = TypeVar("Key")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Asked:
    """Arguments of `measure_slices`."""

    names: tuple[str, ...]
    scores: Scores
    slicings: tuple[Slicing, ...]


def measure_slices(
    names: Iterable[str], scores: Scores, slicings: Sequence[Slicing], least: int = PASS_ROWS
) -> list[list[dict[str, Value]]]:
    """The exact metrics of every slice; None if a metric has no value.

    If a slice has a prediction that is not finite, its metrics have no value, except the counts.
    Additional memory: about 20 bytes per example for each concurrent call.

    Args:
        names: metrics of `models.recipe`, COUNTS, NOT_FINITE.
        scores: scores of the task, n examples.
        slicings: slicings of the same examples.
        least: rows sorted at once, if `ordering.MOST_PASSES` are enough. It affects memory, not the result.

    Returns:
        For each slicing, for each of its slices, the metrics by name.
    """
    names = list(names)
    added = sums(scores.labels, scores.predictions, scores.weights, slicings, names)
    ranked: Sequence[Areas | None] = [None] * len(slicings)
    if set(AREAS) & set(names):
        weights = [(one.weight, one.positive_weight) for one in added]
        ranked = areas(*_observed(scores), slicings, weights, grouped="gauc" in names, least=least)
    return [
        [_metrics(names, one, curve, code) for code in range(len(slicing.values))]
        for slicing, one, curve in zip(slicings, added, ranked, strict=True)
    ]


def measure_all(asked: Mapping[Key, Asked]) -> dict[Key, list[list[dict[str, Value]]]]:
    """`measure_slices` for each entry, on up to MOST_THREADS cores."""
    with ThreadPoolExecutor(min(MOST_THREADS, len(os.sched_getaffinity(0)))) as threads:
        found = threads.map(lambda one: measure_slices(one.names, one.scores, one.slicings), asked.values())
        return dict(zip(asked, found, strict=True))


def _observed(scores: Scores) -> tuple[Ranked, np.ndarray]:
    rows = np.flatnonzero((scores.weights > 0) & np.isfinite(scores.predictions))
    alike = bool((scores.weights[rows] == 1).all())
    ranked = Ranked(
        positive=scores.labels > 0,
        predictions=scores.predictions,
        weights=None if alike else scores.weights,
        groups=scores.groups,
    )
    return ranked, rows


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
