"""Parquet files: adjacent row groups form a piece. A piece is read in blocks to bound the memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from components.event_logs.blocks import ROWS, Block, plain
from components.storage import reading
from models.recipe.errors import InputError
from models.recipe.locations import is_url

_BYTES_OF_BLOCK = 128 << 20
_BYTES_PER_VALUE = 16  # what a value takes in memory at least: a short text, or a number with its place in a list
_PIECES_OF_FILE = 64
_LEAST_ROWS = 1 << 12


def row_groups(file: str) -> list[tuple[tuple[int, ...], int, int]]:
    """(adjacent row groups, their rows, their estimated bytes in memory) of each piece of the file.

    Every piece except the last has at least half a block and a 64th of the file. Small row groups are read together, so there
    are few pieces, but enough for several threads.

    Raises:
        InputError: the file cannot be read, or has two columns of the same name.
    """
    opened = open_parquet(file)
    _refuse_twice_named(opened, file)
    metadata = opened.metadata
    enough = max(ROWS // 2, metadata.num_rows // _PIECES_OF_FILE)
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
    """The rows of some row groups. The first row has number `first` in the file.

    A block has `blocks.ROWS` rows, or fewer wide rows: about 128 MiB by `bytes_per_row`.

    Raises:
        InputError, pyarrow.ArrowException, OSError: the file cannot be read.
    """
    size = min(ROWS, max(_LEAST_ROWS, _BYTES_OF_BLOCK // max(1, bytes_per_row)))
    with open_parquet(file) as opened:
        for together, rows in _together(opened, groups, size):
            for frame in _frames(opened, file, together, first, rows, size):
                yield Block(frame, np.arange(first, first + frame.height), tuple(frame.columns))
                first += frame.height


def open_parquet(file: str) -> pq.ParquetFile:
    """The file, opened.

    Raises:
        InputError: it is not a Parquet file, or cannot be read.
    """
    try:
        return reading.open_parquet(file)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"cannot read {file} as parquet: {str(error).splitlines()[0]}") from None


def _refuse_twice_named(opened: pq.ParquetFile, file: str) -> None:
    names = opened.schema_arrow.names
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{file}: the schema has two columns {twice[0]!r}. Give each column a unique name.")


def _together(opened: pq.ParquetFile, groups: tuple[int, ...], size: int) -> Iterator[tuple[list[int], int]]:
    """(adjacent row groups, their rows): as many as fit into a block, or one row group of several blocks."""
    held: list[int] = []
    rows = 0
    for group in groups:
        more = opened.metadata.row_group(group).num_rows
        if held and rows + more > size:
            yield held, rows
            held, rows = [], 0
        held.append(group)
        rows += more
    if held:
        yield held, rows


def _frames(
    opened: pq.ParquetFile, file: str, groups: list[int], first: int, rows: int, size: int
) -> Iterator[pl.DataFrame]:
    frame = _by_polars(opened, file, first, rows) if rows <= size else None
    if frame is not None:
        yield plain(frame)
        return
    for batch in opened.iter_batches(size, row_groups=groups, use_threads=True):
        table = pa.table([for_polars(column) for column in batch.columns], names=batch.schema.names)
        yield plain(pl.DataFrame(pl.from_arrow(table)))


def _by_polars(opened: pq.ParquetFile, file: str, first: int, rows: int) -> pl.DataFrame | None:
    """Reads whole row groups in half of Arrow's time; None for types, rows or URLs that only Arrow reads.

    For a larger row group, Polars would decompress the beginning again for each block.
    """
    if is_url(file) or not all(map(_is_simple, opened.schema_arrow.types)):
        return None
    try:
        return pl.scan_parquet(file, glob=False, hive_partitioning=False).slice(first, rows).collect()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None  # it panics if the file is shorter than its footer says; Arrow reports the error


def _is_simple(dtype: pa.DataType) -> bool:
    """Whether Polars and Arrow read the type identically."""
    types = pa.types
    if types.is_list(dtype) or types.is_large_list(dtype):
        return _is_simple(dtype.value_type)
    return (
        types.is_integer(dtype)
        or types.is_float32(dtype)
        or types.is_float64(dtype)
        or types.is_boolean(dtype)
        or types.is_string(dtype)
        or types.is_large_string(dtype)
        or types.is_binary(dtype)
        or (types.is_timestamp(dtype) and dtype.tz in (None, "UTC"))
    )


def for_polars(column: pa.Array) -> pa.Array:
    """Converts timestamps with a fixed offset ("+05:30") to UTC and wide decimals to text. Polars reads neither."""
    if pa.types.is_timestamp(column.type) and column.type.tz and column.type.tz[0] in "+-":
        return column.cast(pa.timestamp(column.type.unit, "UTC"))
    return column.cast(pa.string()) if pa.types.is_decimal256(column.type) else column
