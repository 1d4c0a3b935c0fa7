"""Rows in order, cut into segments, and in these the runs of one prediction that hold a positive: what every area needs.

A *segment* is what one area is of: a slice, or a group's rows in a slice. A *run* is the rows of a segment that share one
prediction. Runs without a positive add nothing to an area, and where positives are rare they are nearly all.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluation.slices import Indices

Array = NDArray[np.float64]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ordered:
    """Rows in some order, each array (n,): whether positive, their weights (None: all 1), their groups, if these matter.

    `runs`: numbers that change from one prediction (and group) to the next.
    """

    positive: NDArray[np.bool_]
    weights: Array | None
    runs: NDArray[np.int32]
    groups: NDArray[Any] | None = None

    def at(self, order: Indices) -> Ordered:
        """The same in another order."""
        return Ordered(
            positive=self.positive[order],
            weights=None if self.weights is None else self.weights[order],
            runs=self.runs[order],
            groups=None if self.groups is None else self.groups[order],
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class PositiveRuns:
    """The runs with a positive, in order, each array (runs,): the segment, and weights in it.

    `weights` of the run, `positives` of its positives; `above`, `positives_above` of what comes before it in its segment.
    `starts`, `ends`: the run's rows. `hits`: the number of its positives.
    """

    segments: Indices
    weights: Array
    positives: Array
    above: Array
    positives_above: Array
    starts: Indices
    ends: Indices
    hits: Indices

    def pairs(self, negatives_below: Array) -> Array:
        """(runs,) weight of the rightly ordered pairs: P * (negatives after the run + N / 2).

        Args:
            negatives_below: (runs,) weight of the negatives that do not come before the run, its own among them.
        """
        return self.positives * (negatives_below - (self.weights - self.positives) / 2.0)


def number_runs(*keys: NDArray[Any]) -> NDArray[np.int32]:
    """(n,) numbers that change where one of the sorted keys does."""
    new = np.zeros(len(keys[0]), np.bool_)
    for key in keys:
        new[1:] |= key[1:] != key[:-1]
    return np.cumsum(new, dtype=np.int32)


def positive_runs(ordered: Ordered, firsts: Indices) -> PositiveRuns:
    """The runs with a positive.

    Args:
        ordered: rows by (segment, falling prediction).
        firsts: (segments,) where a segment starts.
    """
    # One place more than rows: where the last run ends.
    new = np.ones(len(ordered.runs) + 1, np.bool_)
    new[1:-1] = ordered.runs[1:] != ordered.runs[:-1]
    new[firsts] = True
    starts = np.flatnonzero(new)
    hits = np.flatnonzero(ordered.positive)
    run_of = np.cumsum(new, dtype=np.int32)[hits] - 1
    heads = np.flatnonzero(np.diff(run_of, prepend=-1))
    if ordered.weights is None:
        positives = np.diff(heads, append=len(hits)).astype(np.float64)
    else:
        positives = np.add.reduceat(ordered.weights[hits], heads) if len(heads) else np.zeros(0)
    run = run_of[heads]
    segments = np.searchsorted(firsts, starts[run], side="right") - 1
    upto = weight_before(ordered.weights)
    before = np.cumsum(positives) - positives
    segment_heads = np.flatnonzero(np.diff(segments, prepend=-1))
    lengths = np.diff(segment_heads, append=len(segments))
    return PositiveRuns(
        segments=segments,
        weights=upto(starts[run + 1]) - upto(starts[run]),
        positives=positives,
        above=upto(starts[run]) - upto(firsts[segments]),
        positives_above=before - np.repeat(before[segment_heads], lengths),
        starts=starts[run],
        ends=starts[run + 1],
        hits=np.diff(heads, append=len(hits)),
    )


def weight_before(weights: Array | None) -> Callable[[Indices], Array]:
    """A function of positions: the weight of all rows before them."""
    if weights is None:
        return lambda positions: positions.astype(np.float64)
    cumulative = np.concatenate([[0.0], np.cumsum(weights)])
    return lambda positions: cumulative[positions]
