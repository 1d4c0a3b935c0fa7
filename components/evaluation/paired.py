"""The difference between two models on the same rows, with its standard error.

Both models see the same rows, so most of the metric's variance cancels: the influences of the difference are the differences of
the influences.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from components.evaluation.best import loss_to
from components.evaluation.clusters import Clusters, clusters, group_order
from components.evaluation.influence import Influence, influences
from components.evaluation.intervals import CONFIDENCE, Spread
from components.evaluation.ranking import falling_order, observed
from components.evaluation.scores import Scores
from components.evaluation.slices import Slicing, one_slice


@dataclasses.dataclass(frozen=True, kw_only=True)
class Difference:
    """How much worse model A is than model B in one metric, in its unit (`best.loss_to`); negative if it is better.

    `a`, `b`: the values of the models. `units`: clusters that carry information. `loss` is NaN if a model has no value, and
    `standard_error` is NaN below 2 units.
    """

    metric: str
    a: float
    b: float
    loss: float
    standard_error: float
    units: int

    def at_least(self, confidence: float) -> float:
        """One-sided lower bound of the loss: loss - t * standard_error. If A is B, it is 0."""
        if self.standard_error == 0.0:
            return self.loss
        return self.loss - float(stdtrit(max(self.units - 1, 1), confidence)) * self.standard_error

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the loss."""
        lower = self.at_least((1.0 + CONFIDENCE) / 2.0)
        return lower, 2.0 * self.loss - lower


def difference(
    metric: str,
    labels: NDArray[Any],
    weights: NDArray[Any],
    a: NDArray[Any],
    b: NDArray[Any],
    groups: NDArray[np.signedinteger[Any]] | None = None,
    binary: bool = True,
) -> Difference:
    """Compares two models on the rows where both predictions are finite: `differences` of a single slice with all rows."""
    whole = one_slice(np.ones(len(labels), np.bool_))
    return differences(metric, labels, weights, a, b, [whole], groups, binary)[0][0]


def differences(
    metric: str,
    labels: NDArray[Any],
    weights: NDArray[Any],
    a: NDArray[Any],
    b: NDArray[Any],
    slicings: Sequence[Slicing],
    groups: NDArray[np.signedinteger[Any]] | None = None,
    binary: bool = True,
) -> list[list[Difference]]:
    """Compares two models in each slice of each slicing, on the rows where both predictions are finite.

    The standard error is that of a - b. Of calibration, whose loss |a - 1| - |b - 1| bends at 1, it is the larger of those of a - b
    and a + b, so it is too wide rather than too narrow.

    Args:
        metric: a metric of the recipe, no count.
        labels, weights: (n,); weight 0 if the task is not observed.
        a, b: (n,) predictions of the models.
        slicings: slicings of the rows. All share the two sorts.
        groups: (n,) codes of the clusters, -1 for a cluster of its own; None if every row is one. gauc needs groups.
        binary: whether the labels are classes.
    """
    both = np.where(np.isfinite(a) & np.isfinite(b), weights, 0)
    grouped = None if groups is None else group_order(groups)
    models = [Scores(labels=labels, predictions=one, weights=both, groups=groups) for one in (a, b)]
    orders = [falling_order(*observed(scores)) for scores in models]
    found = []
    for slicing in slicings:
        units = clusters(slicing, grouped)
        first, second = (
            influences([metric], scores, order, slicing, units, binary).get(metric)
            for scores, order in zip(models, orders, strict=True)
        )
        found.append(_of_slices(metric, first, second, units))
    return found


def _of_slices(metric: str, first: Influence | None, second: Influence | None, units: Clusters) -> list[Difference]:
    """The difference in each slice."""
    if first is None or second is None:
        nothing = Difference(metric=metric, a=math.nan, b=math.nan, loss=math.nan, standard_error=math.nan, units=0)
        return [nothing] * (len(units.counts) - 1)
    sums = [first.sums - second.sums]
    if metric == "calibration":
        # Near 1 the loss bends: the larger error of the two sides, so that no model is refused for the bend.
        sums.append(first.sums + second.sums)
    squares = np.max([units.by_slice(one * one)[:-1] for one in sums], axis=0)
    counts = np.minimum(first.units, second.units)
    errors = Spread(values=first.values, squares=squares, units=counts).error
    return [
        Difference(
            metric=metric,
            a=float(value),
            b=float(other),
            loss=loss_to(metric, float(value), float(other)),
            standard_error=float(error),
            units=int(count),
        )
        for value, other, error, count in zip(first.values, second.values, errors, counts, strict=True)
    ]


def below(found: Difference, tolerance: float, confidence: float) -> bool:
    """Whether model A is worse than model B by more than the tolerance, with this confidence (one-sided).

    Args:
        found: the difference.
        tolerance: the loss that is allowed, in the metric's unit, 0 or more.
        confidence: from 0.5 to 1, exclusive. If the models are equal, 1 - confidence of such comparisons say True at tolerance 0.

    Returns:
        False if a value or the standard error is missing: too little data refuses no model.
    """
    return bool(found.at_least(confidence) > tolerance)
