"""A metric that is a ratio of sums over the eval queries, and the difference between two methods with its interval."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from components.evaluation.intervals import CONFIDENCE
from components.evaluation.scores import Value

Array = NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Ratio:
    """value = sum of numerators / sum of denominators. For a mean over queries, the denominators are 1.

    Attributes:
        numerators: (query,).
        denominators: (query,) at least 0.
    """

    numerators: Array
    denominators: Array

    @property
    def value(self) -> Value:
        """The ratio; None if the denominators add up to 0."""
        total = float(self.denominators.sum())
        return float(self.numerators.sum()) / total if total else None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Difference:
    """How much larger the metric of one method is than that of another, with the 95 % interval."""

    difference: float
    standard_error: float
    lower: float
    upper: float


def difference(one: Ratio, other: Ratio) -> Difference | None:
    """one.value - other.value. Both methods answer the same queries, which are independent: one for each user.

        influence[q] = (a1[q] - a2[q] - d b[q]) / B,    d = the difference, B = sum of b
        standard_error = sqrt(n / (n - 1) * sum of influence^2)
        interval = d -+ t(n - 1) * standard_error

    Args:
        one, other: with the numerators a1 and a2, and the same denominators b.

    Returns:
        The difference; None if fewer than 2 queries have a denominator above 0.
    """
    number = int((one.denominators > 0).sum())
    if number < 2:
        return None
    total = one.denominators.sum()
    gaps = one.numerators - other.numerators
    found = float(gaps.sum() / total)
    influences = (gaps - found * one.denominators) / total
    error = float(np.sqrt(number / (number - 1) * np.square(influences).sum()))
    half = float(stdtrit(number - 1, 0.5 + CONFIDENCE / 2.0)) * error
    return Difference(difference=found, standard_error=error, lower=found - half, upper=found + half)
