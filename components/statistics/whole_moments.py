"""Mean, deviation and range of whole numbers, exactly: the same for any order and any division of the rows.

The sums are Python's whole numbers, so nothing overflows; within a batch each int64 v is high 2^32 + low.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

_HALF = 32
_LOW = (1 << _HALF) - 1
_MOST_ROWS = 2**30  # of one call: int64 then holds the sums of the halves


@dataclasses.dataclass(frozen=True)
class WholeMoments:
    """Sums over the values of a column; `smallest` is inf and `largest` -inf without values."""

    count: int
    total: int
    squares: int
    smallest: float
    largest: float

    @property
    def mean(self) -> float:
        """The mean; at least one value."""
        return self.total / self.count

    @property
    def deviation(self) -> float:
        """The standard deviation (divided by the count, not by one less)."""
        return math.sqrt((self.count * self.squares - self.total**2) / self.count**2)


def measure_wholes(values: np.ndarray, counts: np.ndarray) -> WholeMoments:
    """The moments of `values`, (value,) int64, that occur `counts`, (value,) int64, times; at most 2^30 together.

    Raises:
        ValueError: too many at once.
    """
    rows = int(counts.sum())
    if rows > _MOST_ROWS:
        raise ValueError(f"expected at most {_MOST_ROWS} values, received {rows}")
    if not rows:
        return WholeMoments(0, 0, 0, math.inf, -math.inf)
    high, low = values >> _HALF, values & _LOW
    total = (int((high * counts).sum()) << _HALF) + int((low * counts).sum())
    unsigned = low.astype(np.uint64)
    squares = (
        (_dot(high * high, counts) << (2 * _HALF))
        + (_dot(high * low, counts) << (_HALF + 1))
        + _dot(unsigned * unsigned, counts)
    )
    return WholeMoments(rows, total, squares, float(values.min()), float(values.max()))


def _dot(products: np.ndarray, counts: np.ndarray) -> int:
    """The exact sum of 64-bit products times counts."""
    # One shift and mask of each kind of integer: NumPy has no common type of int64 and uint64 but float64.
    high = (products >> products.dtype.type(_HALF)).astype(np.int64)
    low = (products & products.dtype.type(_LOW)).astype(np.int64)
    return (int((high * counts).sum()) << _HALF) + int((low * counts).sum())


def merge_wholes(parts: Sequence[WholeMoments]) -> WholeMoments:
    """The moments of all parts' values together; at least one part."""
    return WholeMoments(
        sum(part.count for part in parts),
        sum(part.total for part in parts),
        sum(part.squares for part in parts),
        min(part.smallest for part in parts),
        max(part.largest for part in parts),
    )
