"""How often float32 numbers occur, in bounded memory: exactly up to a number of distinct ones, then on a grid.

In their rising order the float32 numbers are the whole numbers of 32 bits. With more than MOST_DISTINCT different ones
each is rounded down to a multiple of 2^bits there, with the fewest bits that do: at most 11, as 2^32 / 2^11 = 2^21. That
leaves a number at least 13 of its 24 binary digits: a limit is at most by its 2^(bits - 23)th part below the exact one.
(Of numbers so near to zero that they have fewer digits, below 1e-37, by as much as a number of 1e-37.)

The bits follow from the set of all numbers alone, so the result is the same for any order and division of the rows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from components.columnar.counts import Counts, count_values, merge_counts
from components.columnar.float_order import numbers_of, rising_keys

MOST_DISTINCT = 2**21
"""Distinct numbers of a column up to which they are counted exactly."""


@dataclasses.dataclass(frozen=True)
class GridCounts:
    """Counts of float32 numbers, each rounded down to a multiple of 2^bits in their order; 0: not rounded."""

    counts: Counts
    bits: int = 0

    @property
    def relative_error(self) -> float:
        """The largest part of a number by which it may have been rounded; 0 where everything is exact."""
        return 2.0 ** (self.bits - 23) if self.bits else 0.0


def count_on_grid(values: pa.Array) -> GridCounts:
    """The counts of an array of finite float32 numbers without nulls."""
    # 0 and -0 are one number.
    return _fit(GridCounts(count_values(pa.array(values.to_numpy(zero_copy_only=False) + np.float32(0)))))


def merge_grids(parts: Sequence[GridCounts]) -> GridCounts:
    """The counts of all parts' rows together; at least one part."""
    if len(parts) == 1:
        return parts[0]
    bits = max(part.bits for part in parts)
    return _fit(GridCounts(merge_counts([_rounded(part, bits).counts for part in parts]), bits))


def _fit(found: GridCounts) -> GridCounts:
    while len(found.counts.counts) > MOST_DISTINCT:
        found = _rounded(found, found.bits + 1)
    return found


def _rounded(found: GridCounts, bits: int) -> GridCounts:
    if found.bits == bits:
        return found
    values = round_down(found.counts.values.to_numpy(zero_copy_only=False), bits)
    # Of one part too, as values that were different are alike now.
    halves = [Counts(pa.array(values), found.counts.counts), Counts(pa.array(values[:0]), found.counts.counts[:0])]
    return GridCounts(merge_counts(halves), bits)


def round_down(values: np.ndarray, bits: int) -> np.ndarray:
    """(value,) float32: each finite number rounded down to a multiple of 2^bits in the order of the float32 numbers."""
    return numbers_of(rising_keys(values) & np.uint32(2**32 - 2**bits))
