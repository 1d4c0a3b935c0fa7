"""Features from the types and the cardinalities of the columns."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import polars as pl

from pipeline.starting import words
from pipeline.starting.answers import Answers
from pipeline.starting.leaks import leak_of
from pipeline.starting.sampling import columns
from pipeline.starting.sides import Side, side_of
from pipeline.starting.sources import plain_name
from pipeline.starting.times import time_columns

_FEW = 24  # distinct whole numbers that are ids rather than quantities
_MANY = 1000
_RECURRING, _SOME = 0.2, 0.01
_SKEWED = 3.0
_BUCKETS = 10
_LONGEST_VECTOR = 8192
_SEPARATORS = "|;,"


@dataclasses.dataclass(frozen=True, kw_only=True)
class FoundFeature:
    """A feature.

    Attributes:
        name: its name; `column` if that is a valid one.
        column: the column.
        values: the keys of the feature in the recipe, without `column` and `side`.
        side: what it describes.
        distinct: distinct values in the sample.
        note: why.
        unsure: alternatives, or "".
    """

    name: str
    column: str
    values: Mapping[str, Any]
    side: Side
    distinct: int
    note: str
    unsure: str = ""


def find_features(
    frame: pl.DataFrame,
    skip: Mapping[str, str],
    labels: dict[str, str],
    user: str | None,
    item: str | None,
    answers: Answers,
    logged: bool = True,
) -> tuple[list[FoundFeature], dict[str, str]]:
    """The features, and the columns that are none -> why.

    Args:
        frame: the impressions, or the labelled examples.
        skip: columns with another role in the recipe -> which one.
        labels: task -> column of `frame` with its label as a truth value.
        user, item: columns with the ids.
        answers: the options.
        logged: whether the examples come from logs, where a column may be known only after the impression.
    """
    found: list[FoundFeature] = []
    none: dict[str, str] = {}
    times = time_columns(frame)
    for name in columns(frame):
        if name in skip:
            none[name] = skip[name]
            continue
        why = _no_feature(frame, name, times, user, item) or (
            leak_of(frame, name, labels) if logged or labels else None
        )
        if why is not None:
            none[name] = why
            continue
        values, note, unsure = _kind(frame[name], name, answers)
        side, measured, other_side = side_of(frame, name, user, item)
        if words.POSITION.search(words.snake(name)) and side == "context" and frame[name].dtype.is_integer():
            values = {"kind": "categorical", "type": "integer", "served_as": _first(frame[name])}
            unsure = "a position is known only after the ranking, so every candidate is served as if at the first one. Alternative: remove served_as"
        taken = [feature.name for feature in found]
        feature = FoundFeature(
            name=name if _valid(name, taken) else plain_name(name.removesuffix("_missing"), [*taken, *columns(frame)]),
            column=name,
            values=values,
            side=side,
            distinct=_distinct(frame[name]),
            note="; ".join(part for part in (note, measured) if part),
            unsure="; ".join(part for part in (unsure, other_side) if part),
        )
        found.append(feature)
    return found, none


def slices(features: list[FoundFeature], frame: pl.DataFrame, most: int = 3) -> list[str]:
    """Columns of 2 to 25 values, none of them in more than 95 % of the rows. Those of at most 12 values first, then those of the
    context before those of the user and the item.
    """
    fitting = [
        feature
        for feature in features
        if feature.values["kind"] == "categorical" and 2 <= feature.distinct <= 25 and "served_as" not in feature.values
        if (frame[feature.column].value_counts()["count"].max() or 0) <= 0.95 * frame.height  # type: ignore[operator]
    ]
    order = ["context", "user", "item"]
    fitting.sort(key=lambda feature: (feature.distinct > _FEW // 2, order.index(feature.side)))
    return [feature.column for feature in fitting[:most]]


def _no_feature(frame: pl.DataFrame, name: str, times: list[str], user: str | None, item: str | None) -> str | None:
    values = frame[name]
    if name in times or values.dtype.is_temporal():
        return "it is a time"
    if isinstance(values.dtype, pl.Struct | pl.Binary | pl.Object):
        return f"its type is {values.dtype}"
    present = values.drop_nulls()
    if present.is_empty():
        return "it has no value"
    if present.dtype.is_nested() and present.explode().dtype.is_float():
        return None if _vector_length(present) else "it has lists of numbers of several lengths"
    distinct = _distinct(values)
    if distinct < 2 and present.len() == values.len():
        return f"it has one value only, {_shown(present)}"
    discrete = present.dtype == pl.String or (present.dtype.is_integer() and not words.is_quantity(name))
    if distinct > _MANY and (discrete or name in (user, item)) and not _separator(present):
        again = recurring(present)
        if again < (_SOME if name in (user, item) else _RECURRING):
            return f"of its {distinct:,} values, those of the newest fifth of the rows occur before in {again:.1%} of these rows only"
    return None


def _vector_length(present: pl.Series) -> int:
    """Number of values of each list of floats, without empty lists; 0 if they are no vectors."""
    if not present.dtype.is_nested() or not present.explode().dtype.is_float():
        return 0
    lengths = present.list.len()
    found = lengths.filter(lengths > 0).unique().to_list()
    return int(found[0]) if len(found) == 1 and 2 <= found[0] <= _LONGEST_VECTOR else 0


def recurring(values: pl.Series) -> float:
    """Share of the last fifth of the rows whose value occurs in the rows before: ids that never come again cannot be learned."""
    cut = values.len() * 4 // 5
    return float(values[cut:].is_in(values[:cut].unique().implode()).mean() or 0.0)  # type: ignore[arg-type]


def _kind(values: pl.Series, name: str, answers: Answers) -> tuple[dict[str, Any], str, str]:
    """(keys of the feature, why, alternatives or "")."""
    present, distinct = values.drop_nulls(), _distinct(values)
    if _vector_length(present):
        return (
            {"kind": "vector", "dim": _vector_length(present), "normalise": "standard"},
            "lists of numbers of one length",
            "",
        )
    if present.dtype.is_nested():
        inner = "integer" if present.explode().dtype.is_integer() else "string"
        length = int(present.list.len().quantile(0.99) or 1)
        return _typed({"kind": "multivalued"}, inner) | {"max_length": max(1, min(length, 1000))}, "lists", ""
    if present.dtype == pl.String:
        mark = _separator(present)
        if mark is not None:
            length = 1 + max(present.str.count_matches(mark, literal=True).to_list())
            note = f"up to {length} values between {mark!r}"
            return {"kind": "multivalued", "separator": mark, "max_length": max(1, min(length, 1000))}, note, ""
        return _categorical("string", distinct), f"text, {distinct:,} values", ""
    if present.dtype == pl.Boolean:
        return {"kind": "categorical"}, "truth values", ""
    if present.dtype.is_integer():
        return _whole(present, name, distinct, answers)
    if (
        present.dtype.is_float()
        and present.is_finite().all()
        and (present == present.round()).all()
        and not _is_large(present)
    ):
        return _whole(present.cast(pl.Int64), name, distinct, answers)
    return _quantity(present), f"numbers, {distinct:,} distinct", ""


def _whole(present: pl.Series, name: str, distinct: int, answers: Answers) -> tuple[dict[str, Any], str, str]:
    note = f"whole numbers, {distinct:,} values"
    code = (
        words.is_id(name)
        or words.is_code(name)
        or _is_large(present)
        or bool(words.user_column([name]) or words.item_column([name]))
    )
    if code or (distinct <= _FEW and not words.is_quantity(name)):
        return _categorical("integer", distinct), note, ""
    numeric = _quantity(present)
    if numeric.get("transform") is None and distinct > _FEW:
        numeric = {"kind": "bucketised", "buckets": _BUCKETS}
    if words.is_quantity(name):
        return numeric, note, ""
    kind = answers.choose(f"Are the numbers of {name} quantities or codes?", ["quantities", "codes"], "quantities")
    if kind == "codes":
        return _categorical("integer", distinct), note, ""
    asked = (
        ""
        if answers.ask
        else "the numbers are taken for quantities. Alternative, if they are codes: {kind: categorical, type: integer}"
    )
    return numeric, note, asked


def _is_large(present: pl.Series) -> bool:
    """Whether a number is beyond those that a float holds exactly, as hashes are."""
    return max(abs(int(present.max())), abs(int(present.min()))) >= 2**53  # type: ignore[arg-type]


def _categorical(kind: str, distinct: int) -> dict[str, Any]:
    values = _typed({"kind": "categorical"}, kind)
    if distinct <= 30:
        values["dim"] = 4
    if distinct > _MANY:
        values |= {"min_count": 5, "oov_buckets": 10}
    return values


def _quantity(present: pl.Series) -> dict[str, Any]:
    numbers = present.cast(pl.Float64).drop_nans()
    skew = numbers.skew()
    heavy = float(numbers.min() or 0) >= 0 and skew is not None and skew > _SKEWED  # type: ignore[arg-type]
    return {"kind": "numeric", "transform": "log1p"} if heavy else {"kind": "numeric"}


def _typed(values: dict[str, Any], kind: str) -> dict[str, Any]:
    return values if kind == "string" else values | {"type": kind}


def _separator(present: pl.Series) -> str | None:
    """The separator of a text with several values: the parts are short, without spaces, and repeat more than the texts."""
    if present.dtype != pl.String:
        return None
    for mark in _SEPARATORS:
        split = present.str.split(mark)
        if (split.list.len() > 1).mean() < 0.2:  # type: ignore[operator]
            continue
        parts = split.explode()
        plain = parts.str.contains(r"^[\w.&+/-]{1,40}$" if mark != "|" else r"^[^|]{1,60}$").mean()
        if float(plain or 0) >= 0.95 and parts.n_unique() <= 0.7 * present.n_unique():  # type: ignore[arg-type]
            return mark
    return None


def _distinct(values: pl.Series) -> int:
    return values.drop_nulls().n_unique() if not values.dtype.is_nested() else values.explode().drop_nulls().n_unique()


def _first(values: pl.Series) -> int:
    return int(values.drop_nulls().min())  # type: ignore[arg-type]


def _valid(name: str, taken: list[str]) -> bool:
    lower = [other.lower() for other in taken]
    plain = name.isascii() and name[:1].isalpha() and name.replace("_", "").isalnum() and len(name) <= 80
    reserved = name.endswith("_missing")  # a number marks its missing values in an input of this name
    return plain and not reserved and name.lower() not in lower


def _shown(present: pl.Series) -> str:
    text = repr(present[0])
    return text if len(text) <= 40 else f"{text[:40]}..."
