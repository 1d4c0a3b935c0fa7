"""A block of rows as it was read, before anything is asked of the values."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl

ROWS = 1 << 17


@dataclass(frozen=True)
class Broken:
    """A row that is not even a row of its format."""

    row: int
    reason: str
    raw: str


@dataclass(frozen=True)
class Block:
    """Rows of a file.

    Args:
        frame: the rows that could be read.
        rows: (rows,) int64, each row's number in its file: from 0, without a CSV's header and blank lines.
        columns: the columns the file is known to have; for JSON lines all those met so far.
        broken: the rows that could not be read.
        text_numbers: numbers are text in this format (CSV).
        open_ended: columns may still turn up in later rows of the file (JSON lines).
    """

    frame: pl.DataFrame
    rows: np.ndarray
    columns: tuple[str, ...]
    broken: list[Broken] = field(default_factory=list)
    text_numbers: bool = False
    open_ended: bool = False


def texts_of_binary(frame: pl.DataFrame) -> pl.DataFrame:
    """Binary, categorical and dictionary columns as text; bytes that are no UTF-8 become their hexadecimal digits."""
    columns = []
    for name, dtype in frame.schema.items():
        if dtype == pl.Binary:
            try:
                columns.append(frame[name].cast(pl.String))
            except pl.exceptions.ComputeError:
                columns.append(pl.Series(name, [_decoded(value) for value in frame[name]], dtype=pl.String))
        elif isinstance(dtype, pl.Categorical | pl.Enum):
            columns.append(frame[name].cast(pl.String))
    return frame.with_columns(columns) if columns else frame


def _decoded(value: bytes | None) -> str | None:
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.hex()
