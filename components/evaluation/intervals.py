"""The 95 % interval of each metric, from the influences of the clusters."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from components.evaluation.clusters import Clusters
from components.evaluation.influence import Influence
from components.evaluation.runs import Array

CONFIDENCE = 0.95
# Metrics in [0, 1]: their intervals are symmetric on the logit scale. Those of the other metrics are, on the log scale.
AREAS = ("auc", "pr_auc", "gauc")

NO_VALUE = "the metric has no value"
ONE_CLUSTER = "fewer than 2 clusters carry information about the metric"
NO_VARIANCE = "the metric has no variance over the clusters"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Interval:
    """The 95 % interval of a metric, or `why` there is none."""

    lower: float | None = None
    upper: float | None = None
    standard_error: float | None = None
    why: str = ""

    def to_json(self) -> dict[str, Any]:
        """The fields that are set."""
        return {"why": self.why} if self.why else {k: v for k, v in dataclasses.asdict(self).items() if k != "why"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Spread:
    """Of one metric in each slice, (slices,): the value, the sum of the clusters' squared influences, the informative clusters."""

    values: Array
    squares: Array
    units: NDArray[np.int64]

    @property
    def error(self) -> Array:
        """(slices,) the standard error: sqrt(units / (units - 1) * squares); NaN below 2 units."""
        many = np.maximum(self.units, 2)
        return np.where(self.units > 1, np.sqrt(self.squares * many / (many - 1)), np.nan)

    def without(self, slices: NDArray[np.bool_]) -> Spread:
        """The same, with no value in some slices."""
        return dataclasses.replace(self, values=np.where(slices, np.nan, self.values))


def spread_of(influence: Influence, clusters: Clusters) -> Spread:
    """The spread by the clusters."""
    squares = clusters.by_slice(influence.sums * influence.sums)[:-1]
    return Spread(values=influence.values, squares=squares, units=influence.units)


def quantile(units: NDArray[np.int64], probability: float) -> Array:
    """(slices,) of Student's t distribution with units - 1 degrees of freedom."""
    return stdtrit(np.maximum(units - 1, 1).astype(np.float64), probability)


def intervals(name: str, spread: Spread) -> list[Interval]:
    """The interval of each slice.

    T is the metric, s its standard error and t the quantile of Student's t distribution with `units` - 1 degrees of freedom.
    auc, pr_auc, gauc: expit(logit T -+ t s / (T (1 - T))). Other metrics: T exp(-+ t s / T), and T -+ t s if T is not positive.

    Args:
        name: the metric.
        spread: its values and their spread.
    """
    value, error = spread.values, spread.error
    half = quantile(spread.units, (1.0 + CONFIDENCE) / 2.0) * error
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if name in AREAS:
            middle, wide = np.log(value) - np.log1p(-value), half / (value * (1.0 - value))
            lower, upper = (1.0 / (1.0 + np.exp(-(middle + sign * wide))) for sign in (-1.0, 1.0))
        else:
            lower, upper = (
                np.where(value > 0, value * np.exp(sign * half / value), value + sign * half) for sign in (-1, 1)
            )
    # An area of exactly 0 or 1 does not move with the weights.
    rounding = 1e-12 * np.maximum(1.0, np.abs(value))
    return [
        Interval(why=NO_VALUE)
        if np.isnan(value[at])
        else Interval(why=ONE_CLUSTER)
        if spread.units[at] < 2
        else Interval(why=NO_VARIANCE)
        if not error[at] > rounding[at] or not np.isfinite(upper[at])
        else Interval(lower=float(lower[at]), upper=float(upper[at]), standard_error=float(error[at]))
        for at in range(len(value))
    ]


def intervals_json(found: Mapping[str, Interval]) -> dict[str, Any]:
    """metric -> {"lower", "upper", "standard_error"}, or {"why"} if there is no interval."""
    return {metric: interval.to_json() for metric, interval in found.items()}
