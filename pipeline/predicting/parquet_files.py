"""Rows of Parquet files, from any row on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from components.event_logs.parquet_rows import open_parquet
from models.recipe.errors import InputError

_ROWS = 65_536


def schema_of(file: str) -> pa.Schema:
    """The columns of a file with their Arrow types.

    Raises:
        InputError: it cannot be read as Parquet.
    """
    with open_parquet(file) as opened:
        return opened.schema_arrow


def rows_of(
    file: str, schema: pa.Schema, columns: list[str], skip: int, passed: Callable[[int], None]
) -> Iterator[pa.RecordBatch]:
    """The rows after the first `skip` ones. Row groups before them are not read.

    Args:
        file: path.
        schema: of the file.
        columns: names of the columns to read; other columns are not read.
        skip: number of rows.
        passed: called with each number of rows that were read or skipped.

    Raises:
        InputError: the file cannot be read.
    """
    with open_parquet(file) as opened:
        groups, rows = _groups_after(opened, skip)
        passed(rows)
        skip -= rows
        if not groups:
            return
        try:
            for batch in opened.iter_batches(_ROWS, row_groups=groups, columns=columns):
                passed(batch.num_rows)
                dropped = min(skip, batch.num_rows)
                skip -= dropped
                if dropped < batch.num_rows:
                    yield batch.select(columns).slice(dropped)
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"cannot read {file} as parquet: {str(error).splitlines()[0]}") from None


def _groups_after(opened: pq.ParquetFile, skip: int) -> tuple[list[int], int]:
    """(row groups with a row after the first `skip` ones, number of rows before them)."""
    rows = 0
    for group in range(opened.metadata.num_row_groups):
        more = opened.metadata.row_group(group).num_rows
        if rows + more > skip:
            return list(range(group, opened.metadata.num_row_groups)), rows
        rows += more
    return [], rows
