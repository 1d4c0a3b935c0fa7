"""Converts rows of a file to well-formed events of a stream, and to dead letters with a reason."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from components.event_logs.blocks import Block, without
from components.event_logs.casting import EXPECTED, cast_column, expected_of
from components.event_logs.column_plan import ColumnPlan
from components.event_logs.plan import EventLogsPlan, StreamPlan, TaskPlan
from components.event_logs.times import micros
from components.event_logs.values import (
    NOT_NEGATIVE,
    OUTSIDE,
    as_text,
    is_inexact,
    is_one_of,
)
from components.example_schema import EVENT_ID, TIME
from models.recipe.checks.served_names import OWN

KEY, USER, ROW, VALUE, WEIGHT, NUMBER = (f"{OWN}{name}" for name in ("key", "user", "row", "value", "weight", "number"))
FUTURE = "time in the future"
_SEPARATOR = "\x1f"
_TIME_PROBLEM, _BAD = f"{OWN}time_problem", f"{OWN}bad"
_Problem = tuple[pl.Expr, str | pl.Expr]  # whether a row has the problem, and the reason to report


def label_column(task: TaskPlan) -> str:
    """The internal name of a task's label column."""
    return f"{OWN}label/{task.name}"


@dataclass(frozen=True)
class Wanted:
    """A column to cast, read from `column.name` and written as `name`. `range`, of `values.OUTSIDE`, refuses other numbers."""

    name: str
    column: ColumnPlan
    what: str = "feature column"
    range: str | None = None


@dataclass(frozen=True)
class Prepared:
    """The rows of one stream in a block.

    `events`: gatewise/{row, key, user, event_time, event_id, value, weight}, if the stream has them, and the feature columns if its rows
    become examples. `keys`: for each event, gatewise/number (its row in the file) and the original key columns.
    `dead`: (row, reason, raw). `after`: number of rows later than `as_of`, which are not checked further. `other`: number of
    rows that `where` assigns to other streams. `others`: {column of `where`: its values}, if no row of the block belongs to
    the stream.
    """

    events: pl.DataFrame
    keys: pl.DataFrame
    dead: pl.DataFrame
    other: int
    others: dict[str, list[str]]
    after: int = 0


def needed_columns(plan: EventLogsPlan, stream: StreamPlan) -> dict[str, str]:
    """{required column of the stream's files: what it is}."""
    needed = dict.fromkeys(stream.where, f"`where` of stream {stream.name!r}") | event_columns(stream)
    for column, what in optional_columns(plan, stream).items():
        needed.setdefault(column, what)
    return needed


def event_columns(stream: StreamPlan) -> dict[str, str]:
    """{required column of an event of the stream: what it is}."""
    needed = dict.fromkeys(stream.user, f"user of stream {stream.name!r}")
    needed |= dict.fromkeys(stream.key, f"key of stream {stream.name!r}")
    if stream.time:
        needed[stream.time.column] = f"time of stream {stream.name!r}"
    if stream.event_id:
        needed[stream.event_id] = f"event_id of stream {stream.name!r}"
    if stream.value:
        needed[stream.value] = f"value of stream {stream.name!r}"
    if stream.weight:
        needed[stream.weight] = f"weight of stream {stream.name!r}"
    return needed


def optional_columns(plan: EventLogsPlan, stream: StreamPlan) -> dict[str, str]:
    """{column that may have missing values, so a file of JSON lines may lack it: what it is}."""
    optional: dict[str, str] = {}
    if plan.makes_examples(stream):
        optional |= {column.name: "read by a feature or a slice" for column in plan.columns}
        for task in plan.tasks:
            for name, what in ((task.label, "label"), (task.weight, "weight_column")):
                if name:
                    optional.setdefault(name, f"{what} of task {task.name!r}")
    return optional


def prepare(
    block: Block,
    hashes: pl.Series,
    stream: StreamPlan,
    columns: Sequence[Wanted],
    limit: int,
    file: str,
    as_of: int | None = None,
) -> Prepared:
    """The stream's events and dead letters among the block's readable rows. The caller handles the broken rows.

    Args:
        block: rows with at least the columns of the stream (JSON lines: absent columns are null).
        hashes: `identity.row_hashes` of the rows.
        stream: stream to read.
        columns: further columns to cast; empty for outcomes.
        limit: latest possible time, microseconds; later times are malformed.
        file: name for messages.
        as_of: microseconds; later rows, up to `limit`, are counted and dropped without further checks.

    Raises:
        InputError: a column's type does not fit the recipe.
    """
    frame = without(block.frame, stream.nulls) if stream.nulls and block.untyped else block.frame
    frame = frame.with_columns(hashes.alias(ROW), pl.Series(NUMBER, block.rows))
    frame = _with_absent(frame, [*stream.where, *_columns_of(stream), *(wanted.column.name for wanted in columns)])
    mine = frame.filter(_where(frame, stream)) if stream.where else frame
    others = _values_there(frame, stream) if mine.height == 0 else {}
    names: list[pl.Expr] = [pl.col(ROW)]
    problems: list[_Problem] = []
    after = 0
    if stream.key:
        names.append(_key(mine, stream.key).alias(KEY))
        problems += [(_absent(mine, column), f"no value in key column {column!r}") for column in stream.key]
        problems += _inexact(mine, stream.key)
    if stream.user:  # an event without a user is no user's
        nobody = [_absent(mine, column) for column in stream.user] + [wrong for wrong, _ in _inexact(mine, stream.user)]
        names.append(pl.when(~pl.any_horizontal(nobody)).then(_key(mine, stream.user)).alias(USER))
    if stream.time:
        times, reasons = micros(mine[stream.time.column], stream.time, f"{file}, stream {stream.name!r}")
        mine = mine.with_columns(times.alias(TIME), reasons.alias(_TIME_PROBLEM))
        if as_of is not None and (times.max() or 0) > as_of:  # type: ignore[operator]
            every = mine.height
            mine = mine.filter(~((pl.col(TIME) > as_of) & (pl.col(TIME) <= limit)).fill_null(False))
            after = every - mine.height
        names.append(pl.col(TIME))
        problems += [(pl.col(_TIME_PROBLEM).is_not_null(), pl.col(_TIME_PROBLEM)), (pl.col(TIME) > limit, FUTURE)]
    if stream.event_id:
        names.append(cast_column(mine, ColumnPlan(name=stream.event_id, type="bytes"), file)[0].alias(EVENT_ID))
    if stream.value:
        value, missing, wrong = cast_column(mine, ColumnPlan(name=stream.value, type="float"), file)
        names.append(value.cast(pl.Float64).alias(VALUE))
        problems.append((missing, f"no value in value column {stream.value!r}"))
        if wrong is not None:
            problems.append((wrong, f"value column {stream.value!r}: {EXPECTED['float']}"))
    if stream.weight:
        weight, missing, wrong = cast_column(mine, ColumnPlan(name=stream.weight, type="float"), file)
        names.append(weight.alias(WEIGHT))
        problems.append((missing, f"no value in weight column {stream.weight!r}"))
        negative, expected = OUTSIDE[NOT_NEGATIVE]
        wrong = negative(weight) if wrong is None else wrong | negative(weight)
        problems.append((wrong, f"weight column {stream.weight!r}: {expected}"))
    for wanted in columns:
        value, _, wrong = cast_column(mine, wanted.column, file)
        names.append(value.alias(wanted.name))
        if wrong is not None:
            outside, expected = OUTSIDE.get(wanted.range or "", (None, expected_of(wanted.column)))
            wrong = wrong | outside(value).fill_null(False) if outside else wrong
            problems.append((wrong, f"{wanted.what} {wanted.column.name!r}: {expected}"))
    bad = pl.any_horizontal([wrong.fill_null(False) for wrong, _ in problems]) if problems else pl.lit(False)
    done = mine.select(*names, bad.alias(_BAD))
    spoilt = done[_BAD]
    events, keys = done.drop(_BAD), mine.select(NUMBER, *dict.fromkeys(stream.key))
    other = frame.height - mine.height - after
    if not spoilt.any():
        return Prepared(events, keys, _dead(), other, others, after)
    raw = mine.filter(spoilt)
    reason = pl.coalesce(pl.when(wrong).then(_literal(reason)) for wrong, reason in problems)
    dead = _dead(
        raw[NUMBER],
        raw.select(reason.cast(pl.String).alias("reason"))["reason"],
        _raw(block.frame.filter(np.isin(block.rows, raw[NUMBER].to_numpy()))),
    )
    return Prepared(events.filter(~spoilt), keys.filter(~spoilt), dead, other, others, after)


def broken_letters(block: Block) -> pl.DataFrame:
    """The block's unreadable rows as dead letters."""
    rows = np.array([broken.row for broken in block.broken], np.int64)
    reasons, raws = [broken.reason for broken in block.broken], [broken.raw for broken in block.broken]
    return _dead(pl.Series(rows), pl.Series(reasons, dtype=pl.String), pl.Series(raws, dtype=pl.String))


def _columns_of(stream: StreamPlan) -> list[str]:
    named = [stream.time.column if stream.time else None, stream.event_id, stream.value, stream.weight]
    return [*stream.key, *stream.user, *(name for name in named if name)]


def _with_absent(frame: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    absent = [name for name in dict.fromkeys(names) if name not in frame.columns]
    return frame.with_columns(pl.lit(None, pl.String).alias(name) for name in absent) if absent else frame


def _where(frame: pl.DataFrame, stream: StreamPlan) -> pl.Expr:
    wanted = [
        is_one_of(as_text(pl.col(column), frame.schema[column]), values) for column, values in stream.where.items()
    ]
    return pl.all_horizontal(wanted).fill_null(False)


def _values_there(frame: pl.DataFrame, stream: StreamPlan) -> dict[str, list[str]]:
    texts = {c: frame.select(as_text(pl.col(c), frame.schema[c]).alias(c))[c] for c in stream.where}
    return {column: text.drop_nulls().unique().sort().head(10).to_list() for column, text in texts.items()}


def _key(frame: pl.DataFrame, columns: Sequence[str]) -> pl.Expr:
    parts = []
    for column in columns:
        dtype = frame.schema[column]
        text = as_text(pl.col(column), dtype)
        if not dtype.is_numeric() and frame.select(text.str.contains("[\x1e\x1f]").any()).item():
            # Escaped, so ("a␟", "b") and ("a", "␟b") are different keys.
            text = text.str.replace_all("\x1e", "\x1e0", literal=True).str.replace_all("\x1f", "\x1e1", literal=True)
        parts.append(text)
    return pl.concat_str(parts, separator=_SEPARATOR)


def _inexact(frame: pl.DataFrame, columns: Sequence[str]) -> list[_Problem]:
    asked = {column: is_inexact(pl.col(column), frame.schema[column]) for column in columns}
    reason = "key column {!r}: a float so large that it may represent several integers"
    return [(large, reason.format(column)) for column, large in asked.items() if large is not None]


def _absent(frame: pl.DataFrame, column: str) -> pl.Expr:
    dtype = frame.schema[column]
    if dtype.is_integer():
        return pl.col(column).is_null()
    text = as_text(pl.col(column), dtype)
    return text.is_null() | (text == "")


def _literal(reason: str | pl.Expr) -> pl.Expr:
    return pl.lit(reason) if isinstance(reason, str) else reason


def _dead(
    rows: pl.Series | None = None, reasons: pl.Series | None = None, raws: pl.Series | None = None
) -> pl.DataFrame:
    data = {"row": rows, "reason": reasons, "raw": raws} if rows is not None else None
    return pl.DataFrame(data, schema={"row": pl.Int64, "reason": pl.String, "raw": pl.String})


def _raw(frame: pl.DataFrame) -> pl.Series:
    try:
        return frame.select(pl.struct(pl.all()).struct.json_encode().alias("raw"))["raw"]
    except pl.exceptions.PolarsError:  # a type without JSON equivalent, such as Decimal
        return pl.Series("raw", [json.dumps(row, default=str) for row in frame.to_dicts()], dtype=pl.String)
