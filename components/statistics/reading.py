"""Example files as record batches: every column but gatewise's own bookkeeping, and many rows at a time.

A missing value may be a null or an empty list. TFDV takes an empty list for a value that is there, with nothing in it, and
a schema's `presence` would never be violated: so empty lists become nulls here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

# Columns that gatewise adds for itself (ids, times): they describe no example, and each value is there only once.
BOOKKEEPING = "gatewise/"

BATCH_ROWS = 65_536


def described_columns(schema: pa.Schema) -> list[str]:
    """The columns that get statistics: all but `gatewise/*`."""
    return [name for name in schema.names if not name.startswith(BOOKKEEPING)]


def row_groups(file: str | BinaryIO) -> list[tuple[int, int]]:
    """(row group, rows) of a Parquet file: the pieces that can be read independently."""
    metadata = pq.ParquetFile(file).metadata
    return [(index, metadata.row_group(index).num_rows) for index in range(metadata.num_row_groups)]


def read_batches(
    file: str | BinaryIO, row_group: int, columns: Sequence[str] | None = None, batch_rows: int = BATCH_ROWS
) -> Iterator[pa.RecordBatch]:
    """The record batches of one row group, in the order of the rows.

    Args:
        file: a Parquet file of examples; every column is a list.
        row_group: which row group.
        columns: the columns to read, by default all but `gatewise/*`.
        batch_rows: most rows of a batch.

    Yields:
        Batches with the columns in the order of the file, missing values as nulls.
    """
    parquet = pq.ParquetFile(file)
    names = described_columns(parquet.schema_arrow)
    if columns is not None:
        names = [name for name in names if name in set(columns)]
    for batch in parquet.iter_batches(batch_size=batch_rows, row_groups=[row_group], columns=names):
        yield pa.record_batch([missing_as_null(column) for column in batch.columns], names=batch.schema.names)


def missing_as_null(column: pa.Array) -> pa.Array:
    """The list column with its empty lists turned into nulls."""
    empty = pc.equal(pc.list_value_length(column), 0)
    if not pc.any(empty).as_py():
        return column
    offsets = np.zeros(len(column) + 1, np.int64)
    np.cumsum(pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False), out=offsets[1:])
    missing = pc.or_(pc.is_null(column), pc.fill_null(empty, False))
    values = pc.list_flatten(column)
    return pa.LargeListArray.from_arrays(pa.array(offsets), values, mask=missing)
