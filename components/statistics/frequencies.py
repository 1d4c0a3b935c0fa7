"""How often each text or id occurs: exact up to a size, then a bounded summary. Mergeable.

Beyond `MOST_VALUES` distinct values, or `MOST_BYTES` of text, it becomes a summary of Misra and Gries
(`components.columnar.frequent`): a count is never too high, and too low by at most `undercount`, which is itself at most
values / MOST_VALUES (more if it is the bytes that do not fit). The number of distinct values comes from the `_HASHES` smallest
hashes (KMV), with a standard error of 0.8 %.

The exact counts, and which columns become a summary, and their number of distinct values, do not depend on the order or the
division of the rows; the counts of a summary may, within `undercount`. The same pieces in the same order give the same.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tfx_bsl.sketches import KmvSketch

from components.columnar.counts import Counts, merge_counts
from components.columnar.frequent import keep_most

MOST_VALUES = 2**20
"""Of one column: up to so many distinct values all counts are exact..."""
MOST_BYTES = 2**26
"""...as long as these values, once each, have no more bytes than this."""

_HASHES = 16_384


@dataclasses.dataclass(frozen=True)
class Frequencies:
    """Counts of texts (large_binary) or ids (int64).

    Attributes:
        counts: of distinct values.
        undercount: largest error of a count; 0 while they are exact.
        hashes: a serialised KmvSketch of all values of a summary; None while the counts are exact.
    """

    counts: Counts
    undercount: int = 0
    hashes: bytes | None = None

    @property
    def unique(self) -> int:
        """Number of distinct values; an estimate if these are a summary."""
        return len(self.counts.values) if self.hashes is None else KmvSketch.Deserialize(self.hashes).Estimate()


def frequencies_of(counts: Counts) -> Frequencies:
    """The frequencies of counted values."""
    return merge_frequencies([Frequencies(counts)])


def merge_frequencies(
    parts: Sequence[Frequencies], most_values: int = MOST_VALUES, most_bytes: int = MOST_BYTES
) -> Frequencies:
    """The frequencies of all parts' values together; at least one part, all of one type."""
    together = merge_counts([part.counts for part in parts])
    counts, taken = keep_most(together, _fitting(together, most_values, most_bytes))
    undercount = taken + sum(part.undercount for part in parts)
    exact = not taken and all(part.hashes is None for part in parts)
    return Frequencies(counts, undercount, None if exact else _hashes(parts))


def most_frequent(counts: Counts, size: int) -> tuple[list[bytes | int], list[int]]:
    """The values with the highest counts and these, falling; among equal counts the larger value is first, as in TFDV."""
    if not len(counts.values):
        return [], []  # of an empty table `select_k_unstable` gives nothing at all
    # Only counts that can be among the first are compared with their values.
    if len(counts.counts) > size:
        keep = counts.counts >= np.partition(counts.counts, -size)[-size]
        counts = Counts(counts.values.filter(pa.array(keep)), counts.counts[keep])
    table = pa.table({"count": counts.counts, "value": counts.values})
    first = pc.select_k_unstable(table, k=size, sort_keys=[("count", "descending"), ("value", "descending")])
    chosen = table.take(first)
    return chosen.column("value").to_pylist(), chosen.column("count").to_pylist()


def _fitting(counts: Counts, most_values: int, most_bytes: int) -> int:
    """How many of the values there is room for, in the order of falling counts."""
    fit = min(len(counts.values), most_values)
    if pa.types.is_integer(counts.values.type) or _bytes_of(counts.values) <= most_bytes:
        return fit
    # All values of one count go together, so their order is of no account.
    order = np.argsort(-counts.counts, kind="stable")
    lengths = pc.binary_length(counts.values).to_numpy(zero_copy_only=False)
    return min(fit, int(np.searchsorted(np.cumsum(lengths[order]), most_bytes, side="right")))


def _bytes_of(texts: pa.Array) -> int:
    return pc.sum(pc.binary_length(texts)).as_py() or 0


def _hashes(parts: Sequence[Frequencies]) -> bytes:
    sketch = KmvSketch(_HASHES)
    for part in parts:
        if part.hashes is None:
            sketch.AddValues(part.counts.values)
        else:
            sketch.Merge(KmvSketch.Deserialize(part.hashes))
    return bytes(sketch.Serialize())
