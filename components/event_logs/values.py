"""Values of any file format as the types of the examples, and as the text that identifies them.

One text for one value, whatever the format: 7 is "7" as integer, as whole float and in JSON; true is "true".
The text of a CSV or JSON string is itself ("7.0" stays "7.0"), because a served model will get the same string.
NaN as text is missing, as an empty text is.
"""

from __future__ import annotations

import hashlib
from typing import cast as cast_type

import numpy as np
import polars as pl

ITEM = "\x1e"
FLOAT32_MAX = float(np.finfo(np.float32).max)
_WHOLE = 2.0**53


def as_text(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """The text of each value; null where there is none. Lists are joined by U+001E, structs are JSON."""
    if isinstance(dtype, pl.String):
        return value
    if dtype.is_float():
        whole = (value == value.floor()) & (value.abs() < _WHOLE)
        text = pl.when(whole).then(value.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(value.cast(pl.String))
        return pl.when(value.is_nan()).then(None).otherwise(text)
    if isinstance(dtype, pl.List):
        return value.list.eval(as_text(pl.element(), items_of(dtype))).list.join(ITEM, ignore_nulls=True)
    if isinstance(dtype, pl.Struct):
        return pl.when(value.is_null()).then(None).otherwise(value.struct.json_encode())
    return value.cast(pl.String)


def items_of(dtype: pl.DataType) -> pl.DataType:
    """The type of a list column's items; that of any other column itself."""
    return cast_type(pl.DataType, dtype.inner) if isinstance(dtype, pl.List) else dtype


def is_scalar(dtype: pl.DataType) -> bool:
    """Whether a column of this type holds one value per row."""
    return not isinstance(dtype, pl.List | pl.Struct)


def is_number(dtype: pl.DataType) -> bool:
    """Whether a column of this type may hold numbers: numeric, boolean, or text to be parsed."""
    return dtype.is_numeric() or isinstance(dtype, pl.Boolean | pl.String | pl.Null)


def cast(value: pl.Expr, dtype: pl.DataType, target: str) -> tuple[pl.Expr, pl.Expr]:
    """(the value as `target`, whether there is none); a value that is null though there is one is of a wrong type.

    Args:
        value: scalars of `dtype`, for which `is_scalar`, and `is_number` unless the target is bytes, hold.
        target: "bytes" -> String; "int" -> Int64, whole floats included; "float" -> Float32, finite only.
    """
    if target == "bytes":
        text = as_text(value, dtype)
        missing = text.is_null() | (text == "")
        return pl.when(missing).then(None).otherwise(text), missing
    if isinstance(dtype, pl.String):
        value = value.str.strip_chars()
        missing = value.is_null() | (value == "")
    else:
        missing = value.is_null()
    number = value.cast(pl.Float64, strict=False)
    if target == "int":
        whole = (number == number.floor()) & (number.abs() < 2.0**63)
        rounded = pl.when(whole).then(number).otherwise(None).cast(pl.Int64, strict=False)
        exact = rounded if dtype.is_float() else value.cast(pl.Int64, strict=False)
        if dtype.is_decimal():  # the cast would cut the fraction off
            exact = pl.when(value == exact).then(exact)
        return pl.coalesce(exact, rounded) if isinstance(dtype, pl.String) else exact, missing
    return pl.when(number.is_finite() & (number.abs() <= FLOAT32_MAX)).then(number).cast(pl.Float32), missing


def row_hashes(frame: pl.DataFrame, *, text_numbers: bool = False) -> pl.Series:
    """UInt64 hash of every row over all its columns, whatever their order, chunking and file format.

        hash(row) = mix(sum over columns with a value of xxh3(text of the value, seed = hash of the column's name))

    A column without a value counts as absent, so an optional field of JSON equals a null of Parquet. Only numbers that
    JSON or CSV write with an exponent may get another hash there than in Parquet.

    Args:
        frame: the rows.
        text_numbers: numbers are text in this format (CSV), so "7.0" and "7" are the same.
    """
    total = np.zeros(frame.height, np.uint64)
    for name in frame.columns:
        text = frame.select(as_text(pl.col(name), frame.schema[name]).alias("text"))["text"]
        if text_numbers and text.str.ends_with(".0").any():
            text = text.str.replace(r"^(-?\d+)\.0$", "$1")
        present = ((text != "") & text.is_not_null()).fill_null(False).to_numpy()
        total += np.where(present, text.hash(_seed(name)).to_numpy(), np.uint64(0))
    return pl.Series("row", mix(total))


def mix(values: np.ndarray) -> np.ndarray:
    """The finaliser of SplitMix64 (a bijection of the 64-bit integers that scatters neighbours)."""
    z = values.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def example_ids(rows: np.ndarray, twins: np.ndarray | None = None, salt: str = "") -> np.ndarray:
    """Non-negative int64 ids from row hashes; `twins` numbers equal rows, `salt` tells file sets apart."""
    seed = np.uint64(_seed(salt)) if salt else np.uint64(0)
    numbered = rows.astype(np.uint64) ^ seed
    if twins is not None:
        numbered = numbered + mix(twins.astype(np.uint64))
    return (mix(numbered) >> np.uint64(1)).astype(np.int64)


def _seed(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")
