"""Splits texts with several values, such as "red|blue"."""

from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc


def taken_apart(texts: pl.Series, separator: str | None) -> pa.LargeListArray:
    """`large_list<large_string>` of what stands between the separators, without the empty texts among it.

    A missing text becomes a list without items. Without a separator a text is its only item.
    """
    if separator is None:
        return one_each(texts)
    held = to_arrow(texts)
    split = pc.split_pattern(held, separator)
    lengths = pc.binary_length(split.values)
    offsets, values = split.offsets.to_numpy().astype(np.int64), split.values
    if pc.min(lengths).as_py() == 0:
        present = np.asarray(lengths) > 0
        offsets = np.concatenate([[0], np.cumsum(present)])[offsets]
        values = values.filter(pa.array(present))
    return pa.LargeListArray.from_arrays(pa.array(offsets), values)


def one_each(column: pl.Series) -> pa.LargeListArray:
    """Each value as the only item of a list; a missing one as a list without items."""
    offsets = np.arange(len(column) + 1, dtype=np.int64)
    if column.null_count():
        np.cumsum(column.is_not_null().to_numpy(), out=offsets[1:])
        column = column.drop_nulls()
    return pa.LargeListArray.from_arrays(pa.array(offsets), to_arrow(column))


def to_arrow(column: pl.Series) -> pa.Array:
    """The column as one array, texts as `large_string`."""
    array = column.to_arrow(compat_level=pl.CompatLevel.oldest())
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
