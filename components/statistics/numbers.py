"""Mergeable summary of a column's numbers, floats or integers. It does not depend on the order or division of the rows."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from components.columnar.cells import Cells, count_cells, merge_cells
from components.columnar.counts import Counts, count_values
from components.columnar.moments import Moments, measure, merge_moments
from components.statistics.whole_moments import WholeMoments, measure_wholes, merge_wholes


@dataclasses.dataclass(frozen=True, kw_only=True)
class Numbers:
    """What is known of the numbers.

    Attributes:
        nans, below, above: values that are NaN, -inf, inf.
        zeros: values that are 0.
        moments: of the finite values, float32 or whole.
        cells: counts of the finite values.
    """

    nans: int = 0
    below: int = 0
    above: int = 0
    zeros: int
    moments: Moments | WholeMoments
    cells: Cells

    @property
    def mean(self) -> float:
        """The mean of all values but NaN, at least one; NaN where there are infinite ones, as in TFDV."""
        return math.nan if self.below or self.above else self.moments.mean

    @property
    def deviation(self) -> float:
        """The standard deviation of all values but NaN, at least one; 0 where there are infinite ones, as in TFDV."""
        return 0.0 if self.below or self.above else self.moments.deviation

    @property
    def smallest(self) -> float:
        """inf without values."""
        return -math.inf if self.below else self.moments.smallest

    @property
    def largest(self) -> float:
        """-inf without values."""
        return math.inf if self.above else self.moments.largest

    @property
    def ends(self) -> np.ndarray:
        """(2,) the smallest and the largest finite value, float32 or float64 of whole numbers; inf and -inf without any."""
        kind = np.float32 if isinstance(self.moments, Moments) else np.float64
        return np.array([self.moments.smallest, self.moments.largest], kind)

    def counted(self) -> tuple[np.ndarray, np.ndarray]:
        """All values but NaN, rising and distinct, and their counts; of a wide cell its lowest number."""
        # The first cell may begin below the smallest value.
        lows = np.maximum(self.cells.lows, self.moments.smallest)
        values = np.concatenate([[-np.inf], lows, [np.inf]])
        counts = np.concatenate([[self.below], self.cells.counts, [self.above]]).astype(np.int64)
        return values[counts > 0], counts[counts > 0]


def of_floats(values: pa.Array) -> Numbers:
    """The numbers of a float32 array without nulls."""
    every = values.to_numpy(zero_copy_only=False)
    finite, nans, below, above = every, 0, 0, 0
    if not np.isfinite(every).all():
        finite = every[np.isfinite(every)]
        nans, below, above = (int(which(every).sum()) for which in (np.isnan, np.isneginf, np.isposinf))
    distinct = count_values(pa.array(finite))
    return Numbers(
        nans=nans,
        below=below,
        above=above,
        zeros=len(finite) - int(np.count_nonzero(finite)),
        moments=measure(finite),
        cells=count_cells(distinct.values.to_numpy(zero_copy_only=False).astype(np.float64), distinct.counts),
    )


def of_wholes(counts: Counts) -> Numbers:
    """The numbers of counted int64 values. Beyond 2^53 neighbours share a cell, as TFDV's quantiles are of float64."""
    values = counts.values.to_numpy(zero_copy_only=False)
    return Numbers(
        zeros=int(counts.counts[values == 0].sum()),
        moments=measure_wholes(values, counts.counts),
        cells=count_cells(values.astype(np.float64), counts.counts),
    )


def merge_numbers(parts: Sequence[Numbers]) -> Numbers:
    """The numbers of all parts together; at least one part, all of one type."""
    moments = [part.moments for part in parts]
    return Numbers(
        nans=sum(part.nans for part in parts),
        below=sum(part.below for part in parts),
        above=sum(part.above for part in parts),
        zeros=sum(part.zeros for part in parts),
        moments=_merge_moments(moments),
        cells=merge_cells([part.cells for part in parts]),
    )


def _merge_moments(parts: Sequence[Moments | WholeMoments]) -> Moments | WholeMoments:
    wholes = [part for part in parts if isinstance(part, WholeMoments)]
    floats = [part for part in parts if isinstance(part, Moments)]
    if wholes and floats:
        raise TypeError("whole and floating-point numbers have no moments together")
    return merge_wholes(wholes) if wholes else merge_moments(floats)
