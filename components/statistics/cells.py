"""How often each number occurs: exact up to `MOST_CELLS` distinct numbers, then by cells of close numbers. Mergeable.

A float64 has 64 bits that sort like the number (sign turned round, exponent, fraction). A cell holds all numbers that share
the first 64 - shift of them, and shift is the smallest with at most `MOST_CELLS` cells that are not empty. How many cells a
shift leaves is a property of the set of numbers, so the same numbers give the same cells in any order and any division.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from components.columnar.float_order import numbers_of, rising_keys

MOST_CELLS = 2**18
"""Of one column: up to so many distinct numbers all counts, and what follows from them, are exact."""


@dataclasses.dataclass(frozen=True)
class Cells:
    """Counts of finite numbers.

    Attributes:
        lows: (cell,) float64, rising: the lowest number of each cell; the number itself while shift is 0.
        counts: (cell,) int64, of the numbers from this low on and below the next cell.
        shift: bits of a number that its cell forgets: a cell is at most 2^(shift - 52) times its numbers wide.
    """

    lows: np.ndarray
    counts: np.ndarray
    shift: int = 0


def count_cells(values: np.ndarray, counts: np.ndarray, most: int = MOST_CELLS) -> Cells:
    """The cells of finite numbers.

    Args:
        values: (value,) float64, may repeat.
        counts: (value,) int64, how often each is there.
        most: largest number of cells; with 2^12 or more, no cell is wider than its numbers are large.
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


def _cells(values: np.ndarray, counts: np.ndarray, shift: int, most: int) -> Cells:
    # 0 and -0 are one number.
    keys = rising_keys(values + 0.0) >> np.uint64(shift)
    order = np.argsort(keys)
    keys, counts = _sums(keys[order], counts[order])
    differing = keys[1:] ^ keys[:-1]
    more = 0
    while np.count_nonzero(differing >> np.uint64(more)) >= most:
        more += 1
    if more:
        shift += more
        keys, counts = _sums(keys >> np.uint64(more), counts)
    return Cells(numbers_of(keys << np.uint64(shift)), counts, shift)


def _sums(keys: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rising keys without repetitions, and the sums of their counts."""
    if not len(keys):
        return keys, counts.astype(np.int64)
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    return keys[starts], np.add.reduceat(counts, starts)
