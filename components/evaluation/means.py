"""Counts and weighted sums of all slices of one task, and the metrics that are their quotients."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluation.slices import Slicing

Array = NDArray[np.float64]

# `log_loss` clips probabilities to this distance from 0 and 1: a certain, wrong prediction has loss 16.1, not infinity.
PROBABILITY_FLOOR = 1e-7

CHUNK_ROWS = 1 << 18
# With more cells, their number would no longer be small compared with a chunk.
MOST_CELLS = 1 << 14


def _log_loss(labels: Array, predictions: Array) -> Array:
    clipped = np.clip(predictions, PROBABILITY_FLOOR, 1.0 - PROBABILITY_FLOOR)
    return -np.log(np.where(labels > 0, clipped, 1.0 - clipped))


# The summed terms, (labels, predictions) -> (n,), before weighting. Labels of a log loss are 0 or 1.
TERMS: dict[str, Callable[[Array, Array], Array]] = {
    "weight": lambda y, p: np.ones(len(y)),
    "positive": lambda y, p: (y > 0).astype(np.float64),
    "label": lambda y, p: y,
    "prediction": lambda y, p: p,
    "log_loss": _log_loss,
    "absolute_error": lambda y, p: np.abs(p - y),
    "squared_error": lambda y, p: (p - y) ** 2,
}
# Metric -> (numerator, denominator, function of the quotient).
QUOTIENTS: dict[str, tuple[str, str, Callable[[Array], Array]]] = {
    "log_loss": ("log_loss", "weight", np.asarray),
    "calibration": ("prediction", "label", np.asarray),
    "rmse": ("squared_error", "weight", np.sqrt),
    "mae": ("absolute_error", "weight", np.asarray),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sums:
    """Sums for each slice of a slicing, (slices,). `means`: metric -> values, NaN without one; see `tests/doubles/metric_oracle.py`.

    The counts are of observed examples: all, those with a label above 0, and those with a prediction that is not finite.
    `weight` and `positive_weight` are the sums of the weights of the first two, over finite predictions.
    """

    examples: NDArray[np.int64]
    positives: NDArray[np.int64]
    not_finite: NDArray[np.int64]
    weight: Array
    positive_weight: Array
    means: dict[str, Array]


def sums(
    labels: NDArray[Any],
    predictions: NDArray[Any],
    weights: NDArray[Any],
    slicings: Sequence[Slicing],
    metrics: Iterable[str],
) -> list[Sums]:
    """Adds up, in one pass over the rows.

    Args:
        labels, predictions, weights: (n,); weight 0 if the task is not observed. Predictions that are not finite are counted
            and excluded from the sums.
        slicings: slicings of the rows.
        metrics: names in QUOTIENTS; other names are ignored.
    """
    wanted = [name for name in QUOTIENTS if name in set(metrics)]
    terms = sorted({"weight", "positive", *(term for name in wanted for term in QUOTIENTS[name][:2])})
    crossings = _crossings(slicings)
    counted = [np.zeros((3, math.prod(crossing.sizes)), np.int64) for crossing in crossings]
    added = [{term: np.zeros(math.prod(crossing.sizes)) for term in terms} for crossing in crossings]
    for start in range(0, len(labels), CHUNK_ROWS):
        chunk = slice(start, start + CHUNK_ROWS)
        observed = weights[chunk] > 0
        rows: Any = slice(None) if observed.all() else np.flatnonzero(observed)
        y, p, w = labels[chunk][rows], predictions[chunk][rows], weights[chunk][rows]
        finite, positive = np.isfinite(p), y > 0
        whole = bool(finite.all())
        p = (p if whole else np.where(finite, p, 0)).astype(np.float64)
        w = (w if whole else np.where(finite, w, 0)).astype(np.float64)
        y = y.astype(np.float64)
        values = {term: TERMS[term](y, p) * w for term in terms}
        for crossing, counts, total in zip(crossings, counted, added, strict=True):
            cells, size = crossing.cells(chunk, rows), counts.shape[1]
            counts[0] += np.bincount(cells, minlength=size)
            counts[1] += np.bincount(cells[positive], minlength=size)
            if not whole:
                counts[2] += np.bincount(cells[~finite], minlength=size)
            for term, value in values.items():
                total[term] += np.bincount(cells, value, size)
    return [
        _sums(
            [_margin(one, crossing.sizes, axis)[:-1] for one in counts],
            {term: _margin(one, crossing.sizes, axis)[:-1] for term, one in total.items()},
            wanted,
        )
        for crossing, counts, total in zip(crossings, counted, added, strict=True)
        for axis in range(len(crossing.sizes))
    ]


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Crossing:
    """Several crossed slicings, which share one sum over the cells. The last place of a slicing is for rows in no slice."""

    slicings: list[Slicing]
    sizes: list[int]

    def cells(self, chunk: slice, rows: Any) -> NDArray[np.intp]:
        """(n,) the cell of some rows of a chunk."""
        found: Any = 0
        for slicing, size in zip(self.slicings, self.sizes, strict=True):
            found = found * size + slicing.codes[chunk][rows].astype(np.intp)
        return found


def _crossings(slicings: Iterable[Slicing]) -> list[_Crossing]:
    """The slicings in their order, grouped into crossings of at most MOST_CELLS cells."""
    found: list[_Crossing] = []
    for slicing in slicings:
        size = len(slicing.values) + 1
        if not found or math.prod(found[-1].sizes) * size > MOST_CELLS:
            found.append(_Crossing(slicings=[], sizes=[]))
        found[-1].slicings.append(slicing)
        found[-1].sizes.append(size)
    return found


def _margin(cells: NDArray[Any], sizes: list[int], axis: int) -> NDArray[Any]:
    """(size of the axis,) the sums over all other axes."""
    return cells.reshape(sizes).sum(axis=tuple(other for other in range(len(sizes)) if other != axis))


def _sums(counts: list[NDArray[np.int64]], total: dict[str, Array], wanted: list[str]) -> Sums:
    examples, positives, not_finite = counts
    return Sums(
        examples=examples,
        positives=positives,
        not_finite=not_finite,
        weight=total["weight"],
        positive_weight=total["positive"],
        means={name: _quotient(name, total) for name in wanted},
    )


def _quotient(name: str, total: dict[str, Array]) -> Array:
    over, under, through = QUOTIENTS[name]
    there = total[under] != 0.0
    return through(np.divide(total[over], total[under], out=np.full(len(there), np.nan), where=there))
