"""Mean, deviation and range of a numeric column, exactly: the same for any order and any division of the rows.

A float32 is m 2^(e-24) with a whole m, |m| <= 2^24, and one of 277 exponents e. The sum of all m of one exponent is a
whole number, and so is that of m^2; whole numbers add up in any order to the same. The moments come of those sums with
Python's whole numbers and are rounded once, at the end: no cancellation either.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

_LOWEST = -148
_EXPONENTS = 128 - _LOWEST + 1
_BITS = 24
_MOST_ROWS = 2**28  # of one call: float64 then holds the sums of numpy.bincount without rounding


@dataclasses.dataclass(frozen=True)
class Moments:
    """Sums over the finite values of a column.

    Attributes:
        count: number of values.
        sums: (3, exponent) int64: the sums of m, of m^2 // 2^24 and of m^2 mod 2^24. Enough for 2^39 values.
        smallest: inf without values.
        largest: -inf without values.
    """

    count: int
    sums: np.ndarray
    smallest: float
    largest: float

    @property
    def mean(self) -> float:
        """The mean; at least one value."""
        return self._total() / (self.count << (_BITS - _LOWEST))

    @property
    def deviation(self) -> float:
        """The standard deviation (divided by the count, not by one less): exactly 0 where all values are equal."""
        squares = sum(
            ((int(high) << _BITS) + int(low)) << (2 * exponent)
            for exponent, (high, low) in enumerate(self.sums[1:].T)
            if high or low
        )
        scaled = self.count * squares - self._total() ** 2
        return math.sqrt(scaled / (self.count**2 << (2 * (_BITS - _LOWEST))))

    def _total(self) -> int:
        return sum(int(total) << exponent for exponent, total in enumerate(self.sums[0]) if total)


def measure(values: np.ndarray) -> Moments:
    """The moments of the finite ones among `values`: (value,) float32, at most 2^28.

    Raises:
        ValueError: another type, or too many at once.
    """
    if values.dtype != np.float32 or len(values) > _MOST_ROWS:
        raise ValueError(f"expected at most {_MOST_ROWS} float32 values, received {len(values)} {values.dtype}")
    values = values[np.isfinite(values)]
    if not len(values):
        return Moments(0, np.zeros((3, _EXPONENTS), np.int64), math.inf, -math.inf)
    fractions, exponents = np.frexp(values)
    whole = np.ldexp(fractions, _BITS).astype(np.int64)
    places, squares = exponents - _LOWEST, whole * whole
    parts = whole, squares >> _BITS, squares & (2**_BITS - 1)
    sums = np.stack([np.bincount(places, weights=part, minlength=_EXPONENTS) for part in parts])
    return Moments(len(values), sums.astype(np.int64), float(values.min()), float(values.max()))


def merge_moments(parts: Sequence[Moments]) -> Moments:
    """The moments of all parts' values together; at least one part."""
    return Moments(
        sum(part.count for part in parts),
        np.sum([part.sums for part in parts], axis=0),
        min(part.smallest for part in parts),
        max(part.largest for part in parts),
    )
