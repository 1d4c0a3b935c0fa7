"""CSV files (RFC 4180, a header line, UTF-8, compressed or not) block by block; every value stays text."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv

from components.event_logs.blocks import Block, Broken
from components.storage.reading import open_stream
from models.errors import InputError

_BLOCK_BYTES = 1 << 24


def read(file: str, block_bytes: int = _BLOCK_BYTES) -> Iterator[Block]:
    """The file's rows; an empty field is null, quoted or not.

    A row with too many or too few fields, or with bytes that are no UTF-8, is broken.

    Raises:
        InputError: the header names a column twice, is not UTF-8, or has a quote that never closes.
        pyarrow.ArrowException, OSError: the file cannot be read.
    """
    names = _header(file)
    if not names:
        return
    skipped: list[Broken] = []

    def handle(row: pa_csv.InvalidRow) -> str:
        reason = f"{row.actual_columns} fields in a CSV line, the header has {row.expected_columns}"
        skipped.append(Broken(row.number - 2, reason, json.dumps({"line": row.text})))
        return "skip"

    reader = pa_csv.open_csv(
        open_stream(file),
        # One thread: only then does a skipped row know its number.
        read_options=pa_csv.ReadOptions(use_threads=False, block_size=block_bytes),
        parse_options=pa_csv.ParseOptions(newlines_in_values=True, invalid_row_handler=handle),
        convert_options=pa_csv.ConvertOptions(
            column_types={name: pa.binary() for name in names}, strings_can_be_null=True, null_values=[""]
        ),
    )
    first, reported = 0, 0
    for batch in reader:
        # The reader may be ahead: the rows of this batch are the first free numbers, and skipped ones may lie behind.
        ahead = np.array([broken.row for broken in skipped if broken.row >= first], dtype=np.int64)
        numbers = np.setdiff1d(np.arange(first, first + batch.num_rows + len(ahead)), ahead)[: batch.num_rows]
        first = int(numbers[-1]) + 1 if len(numbers) else first
        frame, rows, undecodable = _decode(batch, numbers)
        yield Block(frame, rows, tuple(names), skipped[reported:] + undecodable, text_numbers=True)
        reported = len(skipped)
    if reported < len(skipped):
        nothing = pl.DataFrame(schema=dict.fromkeys(names, pl.String))
        yield Block(nothing, np.array([], np.int64), tuple(names), skipped[reported:], text_numbers=True)


def _header(file: str) -> list[str]:
    with open_stream(file) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
        try:
            names = next((row for row in csv.reader(text) if row), [])
        except csv.Error as error:
            raise InputError(
                f"{file}: the header is no line of CSV ({error}). Is there a quote that never closes, or is the file "
                "not CSV at all?"
            ) from None
    if any("\udc80" <= character <= "\udcff" for name in names for character in name):
        raise InputError(f"{file}: the header is not UTF-8. Save the file as UTF-8; is it CSV at all?")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{file}: the header names column {twice[0]!r} twice; give each column its own name.")
    return names


def _decode(batch: pa.RecordBatch, numbers: np.ndarray) -> tuple[pl.DataFrame, np.ndarray, list[Broken]]:
    table = pa.Table.from_batches([batch])
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
