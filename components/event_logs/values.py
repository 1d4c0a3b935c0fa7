"""Values of any file format as the types of the examples, and as the text that identifies them.

One text for one value, whatever the format: 7 is "7" as integer, as whole float and in JSON; true is "true".
The text of a CSV or JSON string is itself ("7.0" stays "7.0"), because a served model will get the same string.
NaN as text is missing, as an empty text is.
"""

from __future__ import annotations

from typing import cast as cast_type

import numpy as np
import polars as pl

ITEM = "\x1e"
FLOAT32_MAX = float(np.finfo(np.float32).max)
_WHOLE = 2.0**53
_FITTING = (pl.Int64, pl.Int32, pl.Int16, pl.Int8, pl.UInt32, pl.UInt16, pl.UInt8, pl.Boolean)


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


def cast(value: pl.Expr, dtype: pl.DataType, target: str) -> tuple[pl.Expr, pl.Expr, pl.Expr | None]:
    """(the value as `target`, whether there is none, whether there is one of a wrong type: None if none can be).

    Args:
        value: scalars of `dtype`, for which `is_scalar`, and `is_number` unless the target is bytes, hold.
        target: "bytes" -> String; "int" -> Int64, whole floats included; "float" -> Float32, finite only.
    """
    if target == "bytes":
        text = as_text(value, dtype)
        # Where the text is null, so is the comparison, and null is what comes out.
        return pl.when(text != "").then(text), text.is_null() | (text == ""), None
    if isinstance(dtype, pl.String):
        value = value.str.strip_chars()
        missing = value.is_null() | (value == "")
    else:
        missing = value.is_null()
    typed = _integer(value, dtype) if target == "int" else _finite(value, dtype)
    return typed, missing, None if target == "int" and dtype in _FITTING else typed.is_null() & ~missing


def _integer(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if not dtype.is_float():
        exact = value.cast(pl.Int64, strict=False)
        if dtype.is_decimal():  # the cast would cut the fraction off
            return pl.when(value == exact).then(exact)
        if not isinstance(dtype, pl.String):
            return exact
    number = value.cast(pl.Float64, strict=False)
    whole = (number == number.floor()) & (number.abs() < 2.0**63)
    rounded = pl.when(whole).then(number).otherwise(None).cast(pl.Int64, strict=False)
    return rounded if dtype.is_float() else pl.coalesce(exact, rounded)


def _finite(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    number = value if dtype == pl.Float64 else value.cast(pl.Float64, strict=False)
    # In polars NaN is larger than every number.
    return pl.when(number.abs() <= FLOAT32_MAX).then(number).cast(pl.Float32)
