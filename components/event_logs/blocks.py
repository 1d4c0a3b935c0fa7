"""A block of rows as read from a file, before any value is checked."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import polars as pl

ROWS = 1 << 17


@dataclass(frozen=True)
class Broken:
    """A row that cannot be parsed."""

    row: int
    reason: str
    raw: str


@dataclass(frozen=True)
class Block:
    """Rows of a file.

    Args:
        frame: the rows that could be read.
        rows: (rows,) int64, each row's number in its file, from 0, without a CSV's header and blank lines.
        columns: the known columns of the file; for JSON lines, those of all rows so far.
        broken: the rows that could not be read.
        untyped: all values are text (CSV, JSON lines), so a text may mark a missing value.
        open_ended: later rows of the file may have further columns (JSON lines).
    """

    frame: pl.DataFrame
    rows: np.ndarray
    columns: tuple[str, ...]
    broken: list[Broken] = field(default_factory=list)
    untyped: bool = False
    open_ended: bool = False


def without(frame: pl.DataFrame, markers: Collection[str]) -> pl.DataFrame:
    """The frame with null for each text, also inside lists, that marks a missing value."""
    return frame.with_columns(
        pl.col(name).list.eval(_unless(pl.element(), markers))
        if isinstance(dtype, pl.List)
        else _unless(pl.col(name), markers)
        for name, dtype in frame.schema.items()
        if dtype in (pl.String, pl.List(pl.String))
    )


def _unless(text: pl.Expr, markers: Collection[str]) -> pl.Expr:
    return pl.when(text.is_in(list(markers)).not_()).then(text)


def plain(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with the few types that the rest of the stage supports, also inside lists and structs.

    Binary, categorical and dictionary columns become text; bytes that are not UTF-8 become their hexadecimal digits.
    Fixed-size arrays and maps become lists. Durations become integers in their unit.
    """
    columns = []
    for name, dtype in frame.schema.items():
        wanted = _plain_type(dtype)
        if wanted == dtype:
            continue
        try:
            columns.append(frame[name].cast(wanted))
        except pl.exceptions.ComputeError:
            columns.append(pl.Series(name, [_decoded(value) for value in frame[name].to_list()], dtype=wanted))
    return frame.with_columns(columns) if columns else frame


def _plain_type(dtype: pl.DataType) -> pl.DataType:
    if isinstance(dtype, pl.Binary | pl.Categorical | pl.Enum):
        return pl.String()
    if isinstance(dtype, pl.Duration):
        return pl.Int64()
    if isinstance(dtype, pl.Map):
        pair = {"key": cast(pl.DataType, dtype.key), "value": cast(pl.DataType, dtype.value)}
        return pl.List(pl.Struct({name: _plain_type(inner) for name, inner in pair.items()}))
    if isinstance(dtype, pl.List | pl.Array):
        return pl.List(_plain_type(cast(pl.DataType, dtype.inner)))
    if isinstance(dtype, pl.Struct):
        return pl.Struct({field.name: _plain_type(cast(pl.DataType, field.dtype)) for field in dtype.fields})
    return dtype


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(item) for item in value]
    if isinstance(value, dict):
        return {name: _decoded(item) for name, item in value.items()}
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.hex()
