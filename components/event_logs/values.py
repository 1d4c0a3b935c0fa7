"""Converts values of any file format to the types of the examples, and to the text that identifies them.

A value has the same text in every format: 7 is "7" as integer, whole float, decimal, and as the "7.0" of CSV and JSON.
"True" becomes "true" (rule in `models.features.value_texts`; the served model follows it). NaN and the empty text are missing
values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import cast as cast_type

import numpy as np
import polars as pl
import pyarrow as pa

from models.features.value_texts import BOOLEANS, WHOLE, text_of

ITEM = "\x1e"
FLOAT32_MAX = float(np.finfo(np.float32).max)
_INT64 = 2.0**63
DIGITS = {text: str(int(text.lower() == "true")) for text in (*BOOLEANS, *BOOLEANS.values())}
"""{a truth value as text: its number if numbers are needed, as for Parquet's booleans}."""
ZERO_OR_ONE, NOT_NEGATIVE = "0 or 1", "at least 0"
OUTSIDE: dict[str, tuple[Callable[[pl.Expr], pl.Expr], str]] = {
    ZERO_OR_ONE: (lambda value: (value != 0) & (value != 1), "not 0 or 1"),
    NOT_NEGATIVE: (lambda value: value < 0, "not a finite number of at least 0"),
}
"""{range of a number: (whether a number is outside, the words for a value outside or of a wrong type)}."""
_FITTING = (pl.Int64, pl.Int32, pl.Int16, pl.Int8, pl.UInt32, pl.UInt16, pl.UInt8, pl.Boolean)
_EXACT: dict[type[pl.DataType], float] = {pl.Float32: 2.0**24, pl.Float64: 2.0**53}


def as_text(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """The text of each value; null if it is missing. Lists are joined by U+001E, structs are JSON."""
    if isinstance(dtype, pl.String):
        return value.map_batches(one_text, return_dtype=pl.String)
    if dtype.is_float():
        whole = (value == value.floor()) & (value.abs() < _INT64)
        text = pl.when(whole).then(value.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(value.cast(pl.String))
        return pl.when(value.is_nan()).then(None).otherwise(text)
    if isinstance(dtype, pl.Decimal) and dtype.scale:
        return value.cast(pl.String).str.strip_chars_end("0").str.strip_chars_end(".")
    if isinstance(dtype, pl.List):
        return value.list.eval(as_text(pl.element(), items_of(dtype))).list.join(ITEM, ignore_nulls=True)
    if isinstance(dtype, pl.Struct):
        return pl.when(value.is_null()).then(None).otherwise(value.struct.json_encode())
    return value.cast(pl.String)


def one_text(texts: pl.Series) -> pl.Series:
    """The texts with those of `value_texts.REWRITTEN` replaced by the text of their value; the same object without such texts."""
    # Quick checks first: few columns have such texts, and the pattern takes a hundred times as long.
    first = beginnings(texts)[:, 4].copy()
    if ((first - np.uint8(ord("0")) < 10) | (first == ord("-"))).any():
        ending = texts.filter(texts.str.ends_with("0"))
        if ending.str.contains(".", literal=True).any() and ending.str.contains(WHOLE).any():
            texts = texts.str.replace(WHOLE, "${1}${2}")
    if ((first == ord("T")) | (first == ord("F"))).any() and texts.is_in(list(BOOLEANS)).any():
        texts = texts.replace(BOOLEANS)
    return texts


def beginnings(texts: pl.Series) -> np.ndarray:
    """(rows, 16) uint8: four bytes of the text's length, then at least its first four bytes; arbitrary for null."""
    views = texts.to_arrow(compat_level=pl.CompatLevel.newest())
    if isinstance(views, pa.ChunkedArray):
        views = views.combine_chunks()
    return np.frombuffer(views.buffers()[1], np.uint8).reshape(-1, 16)[views.offset :][: len(views)]


def may_hold_truths(texts: pl.Series) -> bool:
    """Whether any text begins like one in `DIGITS`. If not, replacing them can be skipped."""
    return bool(np.isin(beginnings(texts)[:, 4], np.frombuffer(b"TtFf", np.uint8)).any())


def one_text_each(texts: pl.Series, separator: str) -> pl.Series:
    """Applies `one_text` to each value between the separators."""
    if not texts.str.contains_any([".0", *BOOLEANS]).any():
        return texts
    items = texts.str.split(separator).list.eval(as_text(pl.element(), pl.String()))
    return items.list.join(separator)


def is_one_of(text: pl.Expr, wanted: Iterable[str | int | float | bool]) -> pl.Expr:
    """Whether a text of `as_text` is one of the recipe's values; null for null.

    Texts and truth values are compared as texts, numbers also as numbers: 1 matches "01" and "1e0", but not "true".
    """
    wanted = tuple(wanted)
    found = text.is_in([text_of(value) for value in wanted])
    numbers = [float(value) for value in wanted if isinstance(value, int | float) and not isinstance(value, bool)]
    # Beyond 2**53, different numbers may be equal as floats.
    near = [number for number in numbers if abs(number) < _EXACT[pl.Float64]]
    return found | text.str.strip_chars().cast(pl.Float64, strict=False).is_in(near).fill_null(False) if near else found


def is_inexact(value: pl.Expr, dtype: pl.DataType) -> pl.Expr | None:
    """Whether a float is so large that it may represent several integers; None if the type has no such values."""
    limit = _EXACT.get(type(dtype))
    return None if limit is None else value.abs() >= limit


def items_of(dtype: pl.DataType) -> pl.DataType:
    """The type of a list column's items; the type itself for other columns."""
    return cast_type(pl.DataType, dtype.inner) if isinstance(dtype, pl.List) else dtype


def is_scalar(dtype: pl.DataType) -> bool:
    """Whether a column of this type has one value per row."""
    return not isinstance(dtype, pl.List | pl.Struct)


def is_number(dtype: pl.DataType) -> bool:
    """Whether a column of this type may contain numbers: numeric, boolean, or text to parse."""
    return dtype.is_numeric() or isinstance(dtype, pl.Boolean | pl.String | pl.Null)


def cast(value: pl.Expr, dtype: pl.DataType, target: str) -> tuple[pl.Expr, pl.Expr, pl.Expr | None]:
    """(value as `target`, whether it is missing, whether it has a wrong type: None if that is impossible).

    NaN is a missing value, as a float and, for numeric targets, as the text "nan" in upper or lower case.

    Args:
        value: scalars of `dtype`: `is_scalar` holds, and `is_number` unless the target is bytes.
        target: "bytes" -> String; "int" -> Int64, whole floats included; "float" -> Float32, finite only.
    """
    if target == "bytes":
        text = as_text(value, dtype)
        # For a null text the comparison is null, too, and so is the result.
        return pl.when(text != "").then(text), text.is_null() | (text == ""), None
    missing = value.is_null()
    if dtype.is_float():
        missing = missing | value.is_nan()
    if isinstance(dtype, pl.String):
        value = value.str.strip_chars()
        number = value.cast(pl.Float64, strict=False)
        missing = value.is_null() | (value == "") | number.is_nan().fill_null(False)
    typed = _integer(value, dtype) if target == "int" else _finite(value, dtype)
    return typed, missing, None if target == "int" and dtype in _FITTING else typed.is_null() & ~missing


def _integer(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if not dtype.is_float():
        exact = value.cast(pl.Int64, strict=False)
        if dtype.is_decimal():  # the cast would cut the fraction off
            return pl.when(value == exact).then(exact)
        if not isinstance(dtype, pl.String):
            return exact
        exact = as_text(value, dtype).cast(pl.Int64, strict=False)  # digits beyond 2**53 too, with a ".0" or without
    number = value.cast(pl.Float64, strict=False)
    whole = (number == number.floor()) & (number.abs() < _INT64)
    rounded = pl.when(whole).then(number).otherwise(None).cast(pl.Int64, strict=False)
    return rounded if dtype.is_float() else pl.coalesce(exact, rounded)


def _finite(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    number = value if dtype == pl.Float64 else value.cast(pl.Float64, strict=False)
    # In Polars, NaN is larger than every number.
    return pl.when(number.abs() <= FLOAT32_MAX).then(number).cast(pl.Float32)
