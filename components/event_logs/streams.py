"""The streams' files in bounded pieces. Each file is read once, even if it contains several streams."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from components.event_logs import csv_lines, json_lines, parquet_rows
from components.event_logs.blocks import Block
from components.event_logs.column_plan import CsvPlan
from components.event_logs.files import format_of, is_compressed, matched_files
from components.event_logs.listed_files import ListedFiles
from components.event_logs.plan import EventLogsPlan
from components.storage.finding import relative, size_of
from components.storage.reading import of_each
from models.recipe.errors import InputError
from models.recipe.registry import known

_BYTES_PER_ROW = 200
_IN_MEMORY = 2  # times the size of a text in its file
_UNPACKED = 6  # times the size of compressed text


@dataclass(frozen=True)
class Piece:
    """A part of a file that one worker reads: adjacent row groups of Parquet, or a whole file of another format.

    `streams` are the names of the file's streams, in the recipe's order. `rows` is exact for Parquet and otherwise estimated
    from the file's size. `bytes` is the estimated size of the rows in memory. They only determine the number of partitions
    and the size of the blocks.
    """

    file: str
    name: str
    format: str
    streams: tuple[str, ...]
    rows: int
    bytes: int = 0
    row_groups: tuple[int, ...] = ()
    first_row: int = 0
    csv: CsvPlan | None = None


def pieces(plan: EventLogsPlan, listed: ListedFiles | None = None) -> list[Piece]:
    """All pieces of all files, by file and row. The files must be those of `listed`.

    Raises:
        InputError: the files differ from the listed ones, a stream has no files, a format is unknown, a file has two formats or
            two CSV dialects, a file is unreadable, or its rows would belong to two streams.
    """
    owners: dict[str, list[str]] = {}
    formats: dict[str, str] = {}
    dialects: dict[str, CsvPlan] = {}
    for stream in plan.streams:
        what = f"stream {stream.name!r}"
        for file in matched_files(plan.data, stream.paths, what):
            format = format_of(file, stream.format, what)
            if formats.setdefault(file, format) != format:
                raise InputError(f"{what}: {file} is {formats[file]} in another stream, but {format} here.")
            if format != "csv" and stream.csv != CsvPlan():
                raise InputError(f"{what}: `csv` applies only to CSV files, but {file} is {format}. Remove `csv`.")
            if format == "csv" and dialects.setdefault(file, stream.csv) != stream.csv:
                raise InputError(
                    f"{what}: its `csv` for {file} differs from that of stream {owners[file][0]!r}, which also matches the file. "
                    "Set the same `csv` in both."
                )
            for other in owners.setdefault(file, []):
                if plan.stream(other).where == stream.where:
                    raise InputError(
                        f"{what}: its `path` and that of {other!r} both match {file}, so its rows would count twice. "
                        "Use distinct paths, or separate the rows with `where`."
                    )
            owners[file].append(stream.name)
    if listed is not None:
        listed.require(owners)
    tables = [file for file in sorted(owners) if formats[file] == "parquet"]
    groups_of = dict(zip(tables, of_each(parquet_rows.row_groups, tables), strict=True))
    found: list[Piece] = []
    for file in sorted(owners):
        name, streams = relative(plan.data, file), tuple(owners[file])
        if formats[file] == "parquet":
            first = 0
            for groups, rows, size in groups_of[file]:
                found.append(Piece(file, name, "parquet", streams, rows, size, groups, first))
                first += rows
        else:
            size = size_of(file) * (_UNPACKED if is_compressed(file) else 1)
            rows = size // _BYTES_PER_ROW + 1
            found.append(Piece(file, name, formats[file], streams, rows, size * _IN_MEMORY, csv=dialects.get(file)))
    return found


def read(piece: Piece) -> Iterator[Block]:
    """The piece's rows in blocks.

    Raises:
        InputError: the file is corrupt, or the file or all of its lines cannot be read.
    """
    try:
        if piece.format == "parquet":
            bytes_per_row = piece.bytes // max(1, piece.rows)
            yield from parquet_rows.read(piece.file, piece.row_groups, piece.first_row, bytes_per_row)
        elif piece.format == "csv":
            yield from _some_row(piece, csv_lines.read(piece.file, piece.csv))
        else:
            yield from _some_row(piece, json_lines.read(piece.file))
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"cannot read {piece.file} as {piece.format}: {str(error).splitlines()[0]} "
            "Write the file again, or exclude it from the stream's `path`."
        ) from None


def _some_row(piece: Piece, blocks: Iterator[Block]) -> Iterator[Block]:
    """The blocks. At the end raises InputError if there are lines but no rows."""
    rows, broken, first = 0, 0, ""
    for block in blocks:
        yield block
        rows += block.frame.height
        broken += len(block.broken)
        if block.broken and not first:
            first = f"{block.broken[0].reason}, {block.broken[0].raw[:80]!r}"
    if broken and not rows:
        raise InputError(
            f"{piece.file}: none of its {broken:,} lines is a row of {piece.format}; the first: {first}. Correct `format`"
            + (" or `csv`" if piece.format == "csv" else "")
            + ", write the file again, or exclude it from the stream's `path`."
        )


def require_columns(block: Block, needed: dict[str, str], file: str) -> None:
    """Refuses a file without a column of the recipe: {column: what it is}.

    Raises:
        InputError: names the file, the column, the existing columns, and the nearest.
    """
    for column, what in needed.items():
        if column not in block.columns:
            hint = _hint(column, block, file)
            raise InputError(f"{file}: no column {column!r} ({what}). {known(column, block.columns)}{hint}")


def _hint(column: str, block: Block, file: str) -> str:
    if any(folder.startswith(f"{column}=") for folder in file.split("/")[:-1]):
        return " Folder names do not become columns: write the value into the rows."
    marks = [
        mark
        for mark in ";\t|"
        if block.untyped and not block.open_ended and len(block.columns) == 1 and mark in block.columns[0]
    ]
    return f" If {marks[0]!r} separates the values, set `csv: {{delimiter: {json.dumps(marks[0])}}}`." if marks else ""
