"""Rows of a file become well-formed events of a stream, and dead letters with a reason."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from components.event_logs.blocks import Block
from components.event_logs.plan import ColumnPlan, EventLogsPlan, StreamPlan
from components.event_logs.times import micros
from components.event_logs.values import as_text, cast, is_number, is_scalar, items_of
from models.errors import InputError

KEY, TIME, EVENT_ID, ROW, VALUE = (f"gatewise/{name}" for name in ("key", "event_time", "event_id", "row", "value"))
FUTURE = "time in the future of as_of"
_SEPARATOR = "\x1f"


@dataclass(frozen=True)
class Wanted:
    """A column to cast: read from `column.name`, written as `name`; `zero_or_one` refuses all other numbers."""

    name: str
    column: ColumnPlan
    what: str = "feature column"
    zero_or_one: bool = False


@dataclass(frozen=True)
class Prepared:
    """What a block holds of one stream.

    `events`: gatewise/{row, key, event_time, event_id, value} as far as the stream has them, and the feature columns
    where its rows become examples. `dead`: (row, reason, raw). `other`: rows that `where` gives to other streams;
    `others`: {column of `where`: values there}, when no row of the block is the stream's.
    """

    events: pl.DataFrame
    dead: pl.DataFrame
    other: int
    others: dict[str, list[str]]


def needed_columns(plan: EventLogsPlan, stream: StreamPlan) -> dict[str, str]:
    """{column that the stream's files must have: what it is}."""
    needed = dict.fromkeys(stream.where, f"`where` of stream {stream.name!r}") | event_columns(stream)
    for column, what in optional_columns(plan, stream).items():
        needed.setdefault(column, what)
    return needed


def event_columns(stream: StreamPlan) -> dict[str, str]:
    """{column without which a row is no event of the stream: what it is}."""
    needed = dict.fromkeys(stream.key, f"key of stream {stream.name!r}")
    if stream.time:
        needed[stream.time.column] = f"time of stream {stream.name!r}"
    if stream.event_id:
        needed[stream.event_id] = f"event_id of stream {stream.name!r}"
    if stream.value:
        needed[stream.value] = f"value of stream {stream.name!r}"
    return needed


def optional_columns(plan: EventLogsPlan, stream: StreamPlan) -> dict[str, str]:
    """{column that may lack a value, so that a file of JSON lines need not have it: what it is}."""
    optional: dict[str, str] = {}
    if plan.makes_examples(stream):
        optional |= {column.name: "read by a feature or a slice" for column in plan.columns}
        for task in plan.tasks:
            if task.label:
                optional.setdefault(task.label, f"label of task {task.name!r}")
    return optional


def prepare(
    block: Block, hashes: pl.Series, stream: StreamPlan, columns: Sequence[Wanted], limit: int, file: str
) -> Prepared:
    """The stream's events and dead letters among the block's readable rows (the broken ones are the caller's).

    Args:
        block: rows with at least the columns that the stream needs (JSON lines: absent ones are null).
        hashes: `values.row_hashes` of the rows.
        stream: what to read.
        columns: what to cast besides; empty for outcomes.
        limit: latest allowed time, microseconds; later ones are in the future of `as_of`.
        file: name for messages.

    Raises:
        InputError: a column's type cannot hold what the recipe says it holds, in any row.
    """
    frame = block.frame.with_columns(hashes.alias(ROW), pl.Series("gatewise/number", block.rows))
    frame = _with_absent(frame, [*stream.where, *_columns_of(stream), *(wanted.column.name for wanted in columns)])
    mine = frame.filter(_where(frame, stream)) if stream.where else frame
    others = _values_there(frame, stream) if mine.height == 0 else {}
    names: list[pl.Expr | pl.Series] = [pl.col(ROW)]
    problems: list[pl.Expr] = []
    temporaries = mine
    if stream.key:
        names.append(_key(mine, stream).alias(KEY))
        problems += [_absent(mine, column, f"no value in key column {column!r}") for column in stream.key]
    if stream.time:
        times, reasons = micros(mine[stream.time.column], stream.time, f"{file}, stream {stream.name!r}")
        temporaries = mine.with_columns(times.alias(TIME), reasons.alias("gatewise/time_problem"))
        names.append(pl.col(TIME))
        problems += [pl.col("gatewise/time_problem"), pl.when(pl.col(TIME) > limit).then(pl.lit(FUTURE))]
    if stream.event_id:
        names.append(_cast(mine, ColumnPlan(name=stream.event_id, type="bytes"), file)[0].alias(EVENT_ID))
    if stream.value:
        value, wrong, missing = _cast(mine, ColumnPlan(name=stream.value, type="float"), file)
        names.append(value.cast(pl.Float64).alias(VALUE))
        problems.append(pl.when(missing).then(pl.lit(f"no value in value column {stream.value!r}")))
        problems.append(pl.when(wrong).then(pl.lit(f"value column {stream.value!r}: {_expected('float')}")))
    for wanted in columns:
        value, wrong, _ = _cast(mine, wanted.column, file)
        names.append(value.alias(wanted.name))
        expected = "not 0 or 1" if wanted.zero_or_one else _expected(wanted.column.type)
        wrong = wrong | ((value != 0) & (value != 1)).fill_null(False) if wanted.zero_or_one else wrong
        problems.append(pl.when(wrong).then(pl.lit(f"{wanted.what} {wanted.column.name!r}: {expected}")))
    reason = pl.coalesce(problems) if problems else pl.lit(None, pl.String)
    done = temporaries.select(*names, reason.cast(pl.String).alias("gatewise/reason"))
    bad = done["gatewise/reason"].is_not_null()
    if not bad.any():
        return Prepared(done.drop("gatewise/reason"), _dead(), frame.height - mine.height, others)
    raw = mine.filter(bad)
    dead = _dead(raw["gatewise/number"], done["gatewise/reason"].filter(bad), _raw(raw.select(block.frame.columns)))
    return Prepared(done.filter(~bad).drop("gatewise/reason"), dead, frame.height - mine.height, others)


def broken_letters(block: Block) -> pl.DataFrame:
    """The block's unreadable rows as dead letters."""
    rows = np.array([broken.row for broken in block.broken], np.int64)
    reasons, raws = [broken.reason for broken in block.broken], [broken.raw for broken in block.broken]
    return _dead(pl.Series(rows), pl.Series(reasons, dtype=pl.String), pl.Series(raws, dtype=pl.String))


def _columns_of(stream: StreamPlan) -> list[str]:
    named = [stream.time.column if stream.time else None, stream.event_id, stream.value]
    return [*stream.key, *(name for name in named if name)]


def _with_absent(frame: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    absent = [name for name in dict.fromkeys(names) if name not in frame.columns]
    return frame.with_columns(pl.lit(None, pl.String).alias(name) for name in absent) if absent else frame


def _where(frame: pl.DataFrame, stream: StreamPlan) -> pl.Expr:
    wanted = [
        as_text(pl.col(column), frame.schema[column]).is_in([scalar_text(value) for value in values])
        for column, values in stream.where.items()
    ]
    return pl.all_horizontal(wanted).fill_null(False)


def scalar_text(value: str | int | float | bool) -> str:
    """A value of the recipe as the text that `values.as_text` gives it."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _values_there(frame: pl.DataFrame, stream: StreamPlan) -> dict[str, list[str]]:
    texts = {c: frame.select(as_text(pl.col(c), frame.schema[c]).alias(c))[c] for c in stream.where}
    return {column: text.drop_nulls().unique().sort().head(10).to_list() for column, text in texts.items()}


def _key(frame: pl.DataFrame, stream: StreamPlan) -> pl.Expr:
    parts = []
    for column in stream.key:
        text = as_text(pl.col(column), frame.schema[column])
        if frame.select(text.str.contains("[\x1e\x1f]").any()).item():
            # Escaped, so that ("a␟", "b") and ("a", "␟b") stay two keys.
            text = text.str.replace_all("\x1e", "\x1e0", literal=True).str.replace_all("\x1f", "\x1e1", literal=True)
        parts.append(text)
    return pl.concat_str(parts, separator=_SEPARATOR)


def _absent(frame: pl.DataFrame, column: str, reason: str) -> pl.Expr:
    text = as_text(pl.col(column), frame.schema[column])
    return pl.when(text.is_null() | (text == "")).then(pl.lit(reason))


def _cast(frame: pl.DataFrame, column: ColumnPlan, file: str) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """(value, whether it is of a wrong type, whether there is none)."""
    dtype, name = frame.schema[column.name], pl.col(column.name)
    inner = items_of(dtype)
    scalars = is_scalar(inner) and (column.multivalued or is_scalar(dtype))
    if not scalars or (column.type != "bytes" and not is_number(inner)):
        expected = {"bytes": "text", "int": "integers", "float": "numbers"}[column.type]
        hint = " Lists need `kind: multivalued`." if isinstance(dtype, pl.List) and not column.multivalued else ""
        raise InputError(f"{file}: column {column.name!r} holds {dtype}, expected {expected}.{hint}")
    if not column.multivalued:
        value, missing = cast(name, dtype, column.type)
        return value, value.is_null() & ~missing, missing
    if not isinstance(dtype, pl.List):
        text = as_text(name, dtype)
        items = text.str.split(column.separator) if column.separator else pl.concat_list(text)
        name, inner = items, pl.String()
    value, missing = cast(pl.element(), inner, column.type)
    wrong = name.list.eval(value.is_null() & ~missing).list.any().fill_null(False)
    values = name.list.eval(value.drop_nulls())
    return pl.when(values.list.len() > 0).then(values), wrong, values.list.len().fill_null(0) == 0


def _expected(type: str) -> str:
    return {"bytes": "not a text", "int": "not an integer", "float": "not a finite number"}[type]


def _dead(
    rows: pl.Series | None = None, reasons: pl.Series | None = None, raws: pl.Series | None = None
) -> pl.DataFrame:
    data = {"row": rows, "reason": reasons, "raw": raws} if rows is not None else None
    return pl.DataFrame(data, schema={"row": pl.Int64, "reason": pl.String, "raw": pl.String})


def _raw(frame: pl.DataFrame) -> pl.Series:
    try:
        return frame.select(pl.struct(pl.all()).struct.json_encode().alias("raw"))["raw"]
    except pl.exceptions.PolarsError:  # a type that JSON has not, such as Decimal
        return pl.Series("raw", [json.dumps(row, default=str) for row in frame.to_dicts()], dtype=pl.String)
