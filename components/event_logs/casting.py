"""Casts the columns of a block to the types of the examples: single values, lists and vectors."""

from __future__ import annotations

import polars as pl

from components.event_logs.column_plan import ColumnPlan
from components.event_logs.values import (
    DIGITS,
    as_text,
    cast,
    is_number,
    is_scalar,
    items_of,
    may_hold_truths,
    one_text_each,
)
from models.recipe.errors import InputError

EXPECTED = {"bytes": "not a text", "int": "not an integer", "float": "not a finite number"}
"""The words for a value of a wrong type."""


def expected_of(column: ColumnPlan) -> str:
    """The words for a wrong value of the column."""
    return EXPECTED[column.type] if column.length is None else f"not a list of {column.length} finite numbers"


def cast_column(frame: pl.DataFrame, column: ColumnPlan, file: str) -> tuple[pl.Expr, pl.Expr, pl.Expr | None]:
    """(value, whether it is missing, whether it has a wrong type: None if that is impossible), as in `values.cast`.

    Several texts in one text stay unsplit until `writing`, because that takes half the memory of lists.
    """
    if column.length is not None:
        return _vector(frame, column, column.length, file)
    dtype, name = frame.schema[column.name], pl.col(column.name)
    inner = items_of(dtype)
    scalars = is_scalar(inner) and (column.multivalued or is_scalar(dtype))
    if not scalars or (column.type != "bytes" and not is_number(inner)):
        expected = {"bytes": "text", "int": "integers", "float": "numbers"}[column.type]
        hint = " Lists need `kind: multivalued`." if isinstance(dtype, pl.List) and not column.multivalued else ""
        raise InputError(f"{file}: column {column.name!r} has type {dtype}; expected {expected}.{hint}")
    if column.type != "bytes" and isinstance(dtype, pl.String) and may_hold_truths(frame[column.name]):
        name = name.replace(DIGITS)
    if column.multivalued and column.separator and column.type == "bytes" and isinstance(dtype, pl.String):
        separator = column.separator
        name = name.map_batches(lambda texts: one_text_each(texts, separator), return_dtype=pl.String)
    if not column.multivalued or (column.type == "bytes" and not isinstance(dtype, pl.List)):
        return cast(name, dtype, column.type)
    if not isinstance(dtype, pl.List):
        text = as_text(name, dtype)
        items = text.str.split(column.separator) if column.separator else pl.concat_list(text)
        name, inner = items, pl.String()
    value, _, wrong = cast(pl.element(), inner, column.type)
    values = name.list.eval(value.drop_nulls())
    some = values.list.len().fill_null(0) > 0
    spoilt = None if wrong is None else name.list.eval(wrong).list.any().fill_null(False)
    return pl.when(some).then(values), ~some, spoilt


def _vector(frame: pl.DataFrame, column: ColumnPlan, length: int, file: str) -> tuple[pl.Expr, pl.Expr, pl.Expr | None]:
    """As `cast_column`, of a vector: List(Float32) of `length` finite numbers. Null and an empty list are missing."""
    dtype, items = frame.schema[column.name], pl.col(column.name)
    inner = items_of(dtype)
    if isinstance(dtype, pl.Null):
        items = items.cast(pl.List(pl.Float32))
    elif isinstance(dtype, pl.String):
        text = items.str.strip_chars(" \t[]")
        items = pl.when(text != "").then(text.str.split(column.separator or ","))
    elif not isinstance(dtype, pl.List) or not is_scalar(inner) or not is_number(inner):
        raise InputError(
            f"{file}: column {column.name!r} has type {dtype}; expected lists of {length} numbers for its `kind: vector`."
        )
    number, _, _ = cast(pl.element(), pl.Float32() if isinstance(dtype, pl.Null) else inner, "float")
    numbers = items.list.eval(number)
    some = (items.list.len() > 0).fill_null(False)
    whole = (items.list.len() == length) & ~numbers.list.eval(pl.element().is_null()).list.any()
    return pl.when(some & whole).then(numbers), ~some, some & ~whole
