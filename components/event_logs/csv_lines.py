"""Reads CSV files (RFC 4180 or the recipe's dialect, UTF-8, compressed or not) in blocks. All values stay text."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv

from components.event_logs.blocks import Block, Broken
from components.event_logs.column_plan import CsvPlan
from components.event_logs.csv_rows import TEXT_AFTER_QUOTE, Rows, Stray, whole_rows
from components.storage.reading import open_stream
from models.recipe.errors import InputError

_BLOCK_BYTES = 1 << 24
_BOM = b"\xef\xbb\xbf"
_TORN = b"\0gatewise\0"


def read(file: str, dialect: CsvPlan | None = None, block_bytes: int = _BLOCK_BYTES) -> Iterator[Block]:
    """The file's rows; an empty field is null, quoted or not.

    A row with too many or too few fields, text after a closing quote, or bytes that are not UTF-8 is broken.

    Raises:
        InputError: the header has a duplicate column or is not CSV; or a quote never closes or swallows rows
            (`csv_rows.whole_rows`). The message names the line.
        pyarrow.ArrowException, OSError: the file cannot be read.
    """
    dialect = dialect or CsvPlan()
    names = list(dialect.header or _header(file, dialect))
    if not names:
        return
    first, header = 0, dialect.header is None
    with open_stream(file) as stream:
        try:
            for rows in whole_rows(_pieces(stream, block_bytes), dialect, len(names), max(block_bytes, _BLOCK_BYTES)):
                text = rows.text
                if header and not text.strip(b"\r\n"):
                    continue
                table, broken = _parse(rows, names, header, dialect)
                header = False
                skipped = np.array([number for number, _, _ in broken], np.int64)
                numbers = first + np.delete(np.arange(table.num_rows + len(broken)), skipped)
                found = [Broken(first + number, reason, raw) for number, reason, raw in broken]
                first += table.num_rows + len(broken)
                frame, numbers, undecodable = _decode(table, numbers)
                yield Block(frame, numbers, tuple(names), found + undecodable, untyped=True)
        except Stray as stray:
            raise InputError(f"{file}, line {_line(file, stray.position)}: {stray.reason}. {_CURE}") from None


_CURE = (
    "Close the quote or remove it; or set the dialect under the stream's `csv`: `quote: null` if quotes are ordinary text, "
    '`escape: "\\\\"` if a backslash escapes them, `multiline: true` if values are texts of many lines.'
)


def _pieces(stream: pa.NativeFile, size: int) -> Iterator[bytes]:
    piece = stream.read(size).removeprefix(_BOM)
    while piece:
        yield piece
        piece = stream.read(size)


def _line(file: str, position: int) -> int:
    """The number, from 1, of the line that contains the byte. The position does not count a byte order mark."""
    newlines, returns = 0, 0
    with open_stream(file) as stream:
        for piece in _pieces(stream, _BLOCK_BYTES):
            before = piece[:position]
            position -= len(before)
            newlines += before.count(b"\n")
            returns += before.count(b"\r")
            if not position:
                break
    return 1 + (newlines or returns)


def _parse(rows: Rows, names: list[str], header: bool, dialect: CsvPlan) -> tuple[pa.Table, list[tuple[int, str, str]]]:
    """(good rows, (number among all rows, reason, raw) of the broken rows)."""
    broken: list[tuple[int, str, str]] = []
    torn = iter(rows.torn)

    def handle(row: pa_csv.InvalidRow) -> str:
        reason, text = f"{row.actual_columns} fields in a CSV line, the header has {row.expected_columns}", row.text
        if text.startswith(_TORN.decode()):
            begin, end = next(torn)
            reason, text = TEXT_AFTER_QUOTE, rows.text[begin:end].decode(errors="replace").rstrip("\r\n")
        broken.append((row.number - 1 - header, reason, json.dumps({"line": text})))
        return "skip"

    text = _with_escapes_of_arrow(_without_torn(rows, len(names), dialect), dialect)
    if header and not text.endswith((b"\n", b"\r")):  # Arrow requires a line after a header; it may be empty
        text += b"\n"
    table = pa_csv.read_csv(
        pa.BufferReader(text),
        # One thread: otherwise a skipped row has no number.
        read_options=pa_csv.ReadOptions(
            use_threads=False, block_size=len(text) + 1, column_names=None if header else names
        ),
        parse_options=pa_csv.ParseOptions(
            delimiter=dialect.delimiter,
            quote_char=dialect.quote or False,
            escape_char=dialect.escape or False,
            newlines_in_values=True,
            invalid_row_handler=handle,
        ),
        convert_options=pa_csv.ConvertOptions(
            column_types={name: pa.binary() for name in names}, strings_can_be_null=True, null_values=[""]
        ),
    )
    return table, broken


def _without_torn(rows: Rows, fields: int, dialect: CsvPlan) -> bytes:
    """The text with each torn row replaced by a row with one field too many."""
    if not rows.torn:
        return rows.text
    kept, at = [], 0
    for begin, end in rows.torn:
        kept += [rows.text[at:begin], _TORN, dialect.delimiter.encode() * fields, b"\n"]
        at = end
    return b"".join([*kept, rows.text[at:]])


def _with_escapes_of_arrow(text: bytes, dialect: CsvPlan) -> bytes:
    """Doubles escapes before ordinary characters (`\\N`, `C:\\x`), because Arrow drops an escape before any character."""
    if not dialect.escape or dialect.escape.encode() not in text:
        return text
    escape = re.escape(dialect.escape)
    marks = "".join(re.escape(mark) for mark in (dialect.delimiter, dialect.quote or '"', dialect.escape))
    return re.sub(rf"({escape}[{marks}\r\n])|({escape})".encode(), rb"\1\2\2", text)


def _header(file: str, dialect: CsvPlan) -> list[str]:
    with open_stream(file) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
        lines = csv.reader(
            text,
            delimiter=dialect.delimiter,
            quotechar=dialect.quote,
            quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
            escapechar=dialect.escape,
            strict=True,
        )
        try:
            names = next((row for row in lines if row), [])
        except csv.Error as error:
            raise InputError(
                f"{file}: the header is not a CSV line ({error}). Does a quote never close, or is the file not CSV?"
            ) from None
    if any("\udc80" <= character <= "\udcff" for name in names for character in name):
        raise InputError(f"{file}: the header is not UTF-8. Save the file as UTF-8, or check that it is CSV.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{file}: the header has two columns {twice[0]!r}. Give each column a unique name.")
    return names


def _decode(table: pa.Table, numbers: np.ndarray) -> tuple[pl.DataFrame, np.ndarray, list[Broken]]:
    try:
        frame = pl.DataFrame(pl.from_arrow(table.cast(pa.schema([(name, pa.string()) for name in table.column_names]))))
        return frame, numbers, []
    except pa.ArrowInvalid:
        kept, broken = [], []
        for number, row in zip(numbers, table.to_pylist(), strict=True):
            try:
                kept.append((number, {name: None if v is None else v.decode() for name, v in row.items()}))
            except UnicodeDecodeError:
                line = {name: None if v is None else v.decode(errors="replace") for name, v in row.items()}
                broken.append(Broken(int(number), "bytes that are not UTF-8 in a CSV line", json.dumps(line)))
        schema = dict.fromkeys(table.column_names, pl.String)
        frame = pl.DataFrame([row for _, row in kept], schema=schema)
        return frame, np.array([number for number, _ in kept], np.int64), broken
