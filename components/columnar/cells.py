"""How often each number occurs: exact up to a number of distinct ones, then by cells of close numbers. Mergeable.

A float of 32 or 64 bits has bits that sort like the number (sign turned round, exponent, fraction). A cell holds all numbers
that share the first of them, all but `shift`, and shift is the smallest with at most `most` cells that are not empty. How many
cells a shift leaves is a property of the set of numbers, so the same numbers give the same cells in any order and any division.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

MOST_CELLS = 2**18
"""Of one column, where nothing else is asked for: up to so many distinct numbers all counts, and what follows, are exact."""


@dataclasses.dataclass(frozen=True)
class Cells:
    """Counts of finite numbers.

    Attributes:
        lows: (cell,) float32 or float64, rising: the lowest number of each cell; the number itself while shift is 0.
        counts: (cell,) int64, of the numbers from this low on and below the next cell.
        shift: bits of a number that its cell forgets.
    """

    lows: np.ndarray
    counts: np.ndarray
    shift: int = 0

    @property
    def relative_width(self) -> float:
        """The largest part of a number by which the low of its cell may be below it; 0 where everything is exact.

        With f bits of fraction, 23 or 52: 2^(shift - f). Of numbers next to zero, which have fewer bits, by as much as of the
        smallest that has all: 1e-38 of float32.
        """
        return 2.0 ** (self.shift - np.finfo(self.lows.dtype).nmant) if self.shift else 0.0


def count_cells(values: np.ndarray, counts: np.ndarray, most: int = MOST_CELLS) -> Cells:
    """The cells of finite numbers.

    Args:
        values: (value,) float32 or float64, may repeat.
        counts: (value,) int64, how often each is there.
        most: largest number of cells, at least 2. With 2^9 of float32, or 2^12 of float64, no cell is wider than its
            numbers are large.
    """
    return _cells(values, counts, 0, most)


def merge_cells(parts: Sequence[Cells], most: int = MOST_CELLS) -> Cells:
    """The cells of all parts' numbers together; at least one part, each made with the same `most`."""
    if len(parts) == 1:
        return parts[0]
    shift = max(part.shift for part in parts)
    return _cells(
        np.concatenate([part.lows for part in parts]), np.concatenate([part.counts for part in parts]), shift, most
    )


def quantile_boundaries(cells: Cells, buckets: int) -> tuple[float, ...]:
    """Limits that divide the values into intervals of about the same number of rows.

    With the n values in rising order x[0], x[1], ..., limit j of 1..buckets-1 is x[floor(j n / buckets)], as in
    TensorFlow Transform; a value equal to a limit belongs above it. Limits that coincide, or that leave nothing below
    them, are dropped: a column with few distinct values has fewer intervals, a constant one has a single one and no
    limit.

    Args:
        cells: of at least one value.
        buckets: number of intervals that is wanted.
    """
    ends = np.cumsum(cells.counts)
    rows = int(ends[-1])
    ranks = np.array([j * rows // buckets for j in range(1, buckets)], dtype=np.int64)
    limits = np.unique(cells.lows[np.searchsorted(ends, ranks, side="right")])
    return tuple(float(limit) for limit in limits if limit > cells.lows[0])


def rising_keys(values: np.ndarray) -> np.ndarray:
    """(value,) uint32 or uint64 that sort like the float32 or float64 numbers; -0.0 comes right before 0.0."""
    kind = np.dtype(f"u{values.dtype.itemsize}")
    bits = values.view(kind)
    return np.where(bits & _sign(kind), ~bits, bits | _sign(kind))


def numbers_of(keys: np.ndarray) -> np.ndarray:
    """The inverse of `rising_keys`."""
    numbers = np.where(keys & _sign(keys.dtype), keys ^ _sign(keys.dtype), ~keys)
    return numbers.view(np.dtype(f"f{keys.dtype.itemsize}"))


def _sign(kind: np.dtype[Any]) -> Any:
    return kind.type(1 << (8 * kind.itemsize - 1))


def _cells(values: np.ndarray, counts: np.ndarray, shift: int, most: int) -> Cells:
    # 0 and -0 are one number.
    keys = rising_keys(values + values.dtype.type(0))
    whole = keys.dtype.type
    keys = keys >> whole(shift)
    order = np.argsort(keys)
    keys, counts = _sums(keys[order], counts[order])
    differing = keys[1:] ^ keys[:-1]
    more = 0
    while np.count_nonzero(differing >> whole(more)) >= most:
        more += 1
    if more:
        shift += more
        keys, counts = _sums(keys >> whole(more), counts)
    return Cells(numbers_of(keys << whole(shift)), counts, shift)


def _sums(keys: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rising keys without repetitions, and the sums of their counts."""
    if not len(keys):
        return keys, counts.astype(np.int64)
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    return keys[starts], np.add.reduceat(counts, starts)
