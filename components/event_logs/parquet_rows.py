"""Parquet files: neighbouring row groups make a piece, and a piece is read in blocks that bound the memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from components.event_logs.blocks import ROWS, Block, plain
from models.errors import InputError

_BYTES_OF_BLOCK = 128 << 20
_BYTES_PER_VALUE = 16  # what a value takes in memory at least: a short text, or a number with its place in a list
_PIECES_OF_FILE = 64
_LEAST_ROWS = 1 << 12


def row_groups(file: str) -> list[tuple[tuple[int, ...], int, int]]:
    """(neighbouring row groups, their rows, a guess of the bytes these take in memory) of each piece of the file.

    A piece holds at least `blocks.ROWS` rows and a 64th of the file, if its last is not counted: small row groups are
    read together, and the number of pieces stays small.

    Raises:
        InputError: the file cannot be read.
    """
    metadata = open_parquet(file).metadata
    enough = max(ROWS, metadata.num_rows // _PIECES_OF_FILE)
    found: list[tuple[tuple[int, ...], int, int]] = []
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        size = max(group.total_byte_size, group.num_rows * group.num_columns * _BYTES_PER_VALUE)
        if found and found[-1][1] < enough:
            numbers, rows, bytes = found[-1]
            found[-1] = ((*numbers, number), rows + group.num_rows, bytes + size)
        else:
            found.append(((number,), group.num_rows, size))
    return found


def read(file: str, groups: tuple[int, ...], first: int, bytes_per_row: int) -> Iterator[Block]:
    """The rows of some row groups, of which the first is the file's row `first`.

    A block has `blocks.ROWS` rows, or fewer where they are wide: about 128 MiB by `bytes_per_row`.

    Raises:
        InputError, pyarrow.ArrowException, OSError: the file cannot be read.
    """
    size = min(ROWS, max(_LEAST_ROWS, _BYTES_OF_BLOCK // max(1, bytes_per_row)))
    with open_parquet(file) as opened:
        for batch in opened.iter_batches(size, row_groups=list(groups), use_threads=True):
            table = pa.table([_for_polars(column) for column in batch.columns], names=batch.schema.names)
            frame = plain(pl.DataFrame(pl.from_arrow(table)))
            yield Block(frame, np.arange(first, first + batch.num_rows), tuple(frame.columns))
            first += batch.num_rows


def open_parquet(file: str) -> pq.ParquetFile:
    """The file, opened.

    Raises:
        InputError: it is no Parquet, or cannot be read.
    """
    try:
        return pq.ParquetFile(file)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"cannot read {file} as parquet: {str(error).splitlines()[0]}") from None


def _for_polars(column: pa.Array) -> pa.Array:
    """Timestamps with a fixed offset ("+05:30") in UTC, wide decimals as text: polars reads neither."""
    if pa.types.is_timestamp(column.type) and column.type.tz and column.type.tz[0] in "+-":
        return column.cast(pa.timestamp(column.type.unit, "UTC"))
    return column.cast(pa.string()) if pa.types.is_decimal256(column.type) else column
