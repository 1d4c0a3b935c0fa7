"""The streams' files in bounded pieces, each file read once however many streams it holds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from components.event_logs import csv_lines, json_lines
from components.event_logs.blocks import ROWS, Block, plain
from components.event_logs.files import format_of, matched_files, relative
from components.event_logs.plan import EventLogsPlan
from models.errors import InputError
from models.registry import known

_BYTES_PER_ROW = 200


@dataclass(frozen=True)
class Piece:
    """A part of a file that one worker reads: a row group of Parquet, else the whole file.

    `streams` are the names of the streams that the file belongs to, in the recipe's order. `rows` is known for Parquet
    and a guess from the file's size otherwise; only the number of partitions comes from it.
    """

    file: str
    name: str
    format: str
    streams: tuple[str, ...]
    rows: int
    row_group: int = 0
    first_row: int = 0


def pieces(plan: EventLogsPlan) -> list[Piece]:
    """All pieces of all files, by file and row.

    Raises:
        InputError: a stream without files, an unknown format, two formats declared for one file, an unreadable file,
            a file whose rows would be of two streams.
    """
    owners: dict[str, list[str]] = {}
    formats: dict[str, str] = {}
    for stream in plan.streams:
        what = f"stream {stream.name!r}"
        for file in matched_files(plan.data, stream.path, what):
            format = format_of(file, stream.format, what)
            if formats.setdefault(file, format) != format:
                raise InputError(f"{what}: {file} is {formats[file]} in another stream, but {format} here.")
            for other in owners.setdefault(file, []):
                if plan.stream(other).where == stream.where:
                    raise InputError(
                        f"{what}: its `path` and that of {other!r} both match {file}, whose rows would count twice. "
                        "Make the paths distinct, or tell the rows apart with `where`."
                    )
            owners[file].append(stream.name)
    found: list[Piece] = []
    for file in sorted(owners):
        name, streams = relative(plan.data, file), tuple(owners[file])
        if formats[file] == "parquet":
            metadata, first = _open_parquet(file).metadata, 0
            for group in range(metadata.num_row_groups):
                rows = metadata.row_group(group).num_rows
                found.append(Piece(file, name, "parquet", streams, rows, group, first))
                first += rows
        else:
            found.append(Piece(file, name, formats[file], streams, os.path.getsize(file) // _BYTES_PER_ROW + 1))
    return found


def read(piece: Piece) -> Iterator[Block]:
    """The piece's rows in blocks.

    Raises:
        InputError: the file is corrupt or cannot be read.
    """
    try:
        if piece.format == "parquet":
            yield from _parquet(piece)
        elif piece.format == "csv":
            yield from csv_lines.read(piece.file)
        else:
            yield from json_lines.read(piece.file)
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"cannot read {piece.file} as {piece.format}: {str(error).splitlines()[0]} "
            "Write the file again, or take it out of the stream's `path`."
        ) from None


def require_columns(block: Block, needed: dict[str, str], file: str) -> None:
    """Refuses a file without a column that the recipe names: {column: what it is}.

    Raises:
        InputError: names the file, the column, the columns that are there, and the nearest.
    """
    for column, what in needed.items():
        if column not in block.columns:
            raise InputError(f"{file}: no column {column!r} ({what}). {known(column, block.columns)}")


def _open_parquet(file: str) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(file)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"cannot read {file} as parquet: {str(error).splitlines()[0]}") from None


def _parquet(piece: Piece) -> Iterator[Block]:
    with _open_parquet(piece.file) as opened:
        first = piece.first_row
        for batch in opened.iter_batches(ROWS, row_groups=[piece.row_group], use_threads=True):
            table = pa.table([_for_polars(column) for column in batch.columns], names=batch.schema.names)
            frame = plain(pl.DataFrame(pl.from_arrow(table)))
            yield Block(frame, np.arange(first, first + batch.num_rows), tuple(frame.columns))
            first += batch.num_rows


def _for_polars(column: pa.Array) -> pa.Array:
    """Timestamps with a fixed offset ("+05:30") in UTC, wide decimals as text: polars reads neither."""
    if pa.types.is_timestamp(column.type) and column.type.tz and column.type.tz[0] in "+-":
        return column.cast(pa.timestamp(column.type.unit, "UTC"))
    return column.cast(pa.string()) if pa.types.is_decimal256(column.type) else column
