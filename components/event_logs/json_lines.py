"""Reads JSON lines (UTF-8, compressed or not) in blocks. Scalars become text, arrays become lists of text."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from components.event_logs.blocks import Block, Broken
from components.storage.reading import open_stream

_BLOCK_BYTES = 1 << 25
# Half of a character beyond U+FFFF, as in a text that was cut between UTF-16 units.
_HALF = re.compile(rb"\\u[dD](?:[89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..\\u[dD])[c-fC-F]..)")


def read(file: str, block_bytes: int = _BLOCK_BYTES) -> Iterator[Block]:
    """The file's rows; blank lines have no row number.

    A line is broken if it is not a JSON object, or contains half of a surrogate pair. If an object has a key twice, the first
    counts. Whole numbers lose a trailing ".0"; true is "true". NaN, which Python writes for a missing number, is null. Infinity
    makes the line broken.

    Raises:
        pyarrow.ArrowException, OSError: the file cannot be read.
    """
    first, columns = 0, {}  # type: int, dict[str, None]
    with open_stream(file) as stream:
        rest, piece = b"", stream.read(block_bytes).removeprefix(b"\xef\xbb\xbf")
        while piece or rest:
            text, separator, rest = (rest + piece).rpartition(b"\n") if piece else (rest, b"", b"")
            piece = stream.read(block_bytes) if piece else b""
            if not separator and (piece or not text):  # a line longer than a block, or an empty file
                rest = text + rest
                continue
            lines = [line for line in text.split(b"\n") if line.strip()]
            frame, good, broken = parse(lines)
            columns |= dict.fromkeys(frame.columns)
            found = [Broken(first + number, reason, raw) for number, reason, raw in broken]
            yield Block(frame, first + good, tuple(columns), found, untyped=True, open_ended=True)
            first += len(lines)


def parse(lines: list[bytes]) -> tuple[pl.DataFrame, np.ndarray, list[tuple[int, str, str]]]:
    """(rows, their positions among the lines, (position, reason, line as JSON text) of the broken lines)."""
    if not lines:
        return pl.DataFrame(), np.array([], np.int64), []
    lines = [_without_nan(line) if b"NaN" in line else line for line in lines]
    frame = _parse_fast(lines)
    if frame is not None:
        return frame, np.arange(len(lines)), []
    objects, broken = [], []
    for position, line in enumerate(lines):
        try:
            value = json.loads(line, parse_constant=_constant, object_pairs_hook=_first_of_each)
            reason = "" if isinstance(value, dict) else "a JSON line that is not an object"
            if _HALF.search(line) and _has_half(value):
                reason = "half of a surrogate pair in a text of a JSON line"
        except (ValueError, RecursionError):
            reason = "a line that is not JSON"
        if reason:
            broken.append((position, reason, json.dumps({"line": line.decode(errors="replace")})))
        else:
            objects.append((position, value))
    good = np.array([position for position, _ in objects], np.int64)
    # If possible, the good lines are read by the same reader as in a block without broken lines.
    frame = _parse_fast([lines[position] for position in good]) if len(good) else pl.DataFrame()
    return frame if frame is not None else _from_objects([value for _, value in objects]), good, broken


def _parse_fast(lines: list[bytes]) -> pl.DataFrame | None:
    content = b"\n".join(lines)
    if _HALF.search(content):
        return None
    try:
        inferred = pl.read_ndjson(io.BytesIO(content), infer_schema_length=None).schema
        schema = {name: _text_type(dtype) for name, dtype in inferred.items()}
        frame = pl.read_ndjson(io.BytesIO(content), schema=schema)
    except (pl.exceptions.PolarsError, ValueError):
        return None
    if any(_hides_lists(column, content) for column in frame if inferred[column.name] == pl.String):
        return None
    frame = frame.drop([name for name, dtype in schema.items() if isinstance(dtype, pl.Struct) and not dtype.fields])
    return frame if frame.height == len(lines) else None


def _hides_lists(texts: pl.Series, content: bytes) -> bool:
    """Whether the fast reader converted lists to texts, as it does if other values of the column are texts."""
    if not texts.str.starts_with("[").any():
        return False
    return (
        re.search(re.escape(json.dumps(texts.name, ensure_ascii=False).encode()) + rb"\s*:\s*\[", content) is not None
    )


def _has_half(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def _text_type(dtype: pl.DataType) -> pl.DataType:
    if isinstance(dtype, pl.List) and not isinstance(dtype.inner, pl.List | pl.Struct):
        return pl.List(pl.String)
    return dtype if isinstance(dtype, pl.List | pl.Struct) else pl.String()


def _from_objects(objects: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows with fields that are lists in some rows and scalars in others. Such a field becomes a list in all rows."""
    names = dict.fromkeys(name for row in objects for name in row)
    columns = []
    for name in names:
        values = [row.get(name) for row in objects]
        if any(isinstance(value, list) for value in values):
            lists = [None if value is None else _items(value) for value in values]
            columns.append(pl.Series(name, lists, dtype=pl.List(pl.String)))
        else:
            columns.append(pl.Series(name, [_text(value) for value in values], dtype=pl.String))
    return pl.DataFrame(columns)


def _items(value: Any) -> list[str | None]:
    return [_text(item) for item in value] if isinstance(value, list) else [_text(value)]


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return json.dumps(value)


def _first_of_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Keeps the first value of a repeated key, as Polars does."""
    return dict(pairs) | dict(reversed(pairs))


def _without_nan(line: bytes) -> bytes:
    """The line with null for NaN, which the fast reader does not support; unchanged if it still is not JSON."""
    try:
        value = json.loads(line, parse_constant=_constant, object_pairs_hook=_first_of_each)
        return json.dumps(value, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return line


def _constant(constant: str) -> None:
    if constant != "NaN":
        raise ValueError(constant)
