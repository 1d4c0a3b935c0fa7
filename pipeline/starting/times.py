"""Which column of a source is its time, in which unit and zone."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Literal, cast

import polars as pl

from components.event_logs.column_plan import TimePlan
from components.event_logs.times import micros
from pipeline.starting import words
from pipeline.starting.answers import Answers
from pipeline.starting.sampling import columns

Unit = Literal["s", "ms", "us", "ns", "text"]
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_EARLIEST, _LATEST = 946_684_800, 2_208_988_800  # 2000-01-01 and 2040-01-01
_MOSTLY, _SOME = 0.95, 0.02
_TEXT = r"^\s*\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}"
_DAY = r"^\s*\d{4}-\d{2}-\d{2}\s*$"
_OFFSET = r":\d{2}.*(?:[Zz]|[Uu][Tt][Cc]|[+-]\d{2}:?\d{2}|[+-]\d{2})\s*$"


@dataclasses.dataclass(frozen=True, kw_only=True)
class FoundTime:
    """The time of a stream.

    Attributes:
        column: the column.
        unit: as in the recipe.
        zone: IANA zone; None if the values have an offset or are epochs.
        note: why.
        unsure: alternatives, or "".
    """

    column: str
    unit: Unit
    zone: str | None = None
    note: str = ""
    unsure: str = ""

    def micros(self, frame: pl.DataFrame) -> pl.Series:
        """Microseconds since 1970 UTC; null for a row without a time of the years 2000 to 2039."""
        plan = TimePlan(column=self.column, unit=self.unit, zone=self.zone)
        found = micros(frame[self.column], plan, "init")[0]
        return found.set((found < _EARLIEST * 10**6) | (found >= _LATEST * 10**6), None)


def find_time(frame: pl.DataFrame, source: str, answers: Answers, event: bool = True) -> FoundTime | None:
    """The time of the rows of a source; None if it has none.

    Args:
        frame: the rows.
        source: name of the source.
        answers: the options.
        event: whether the rows are events, so that a time that cannot be read is refused.

    Raises:
        InputError: two columns may be the time, or the unit is not clear, and no option decides.
    """
    column = answers.of(answers.time, source)
    if column is not None:
        if column not in columns(frame):
            answers.decide(source, f"no column is called {column!r}", (), f"--time {source}=COLUMN")
    else:
        candidates = time_columns(frame)
        if not candidates:
            if event and (named := unreadable_time(frame, source)):
                _refuse_unreadable(frame[named], source, answers)
            return None
        if len(candidates) == 1:
            column = candidates[0]
        else:
            problem = f"{len(candidates)} columns may be the time of the event."
            column = answers.decide(source, problem, candidates, f"--time {source}=COLUMN")
    return _with_zone(frame, column, _unit(frame[column], source, answers), source, answers)


def time_columns(frame: pl.DataFrame) -> list[str]:
    """The columns that may be the time: timestamps, ISO texts with an hour, and epochs whose name is that of a time.

    If there is none: days without an hour, and the columns of numbers that are epochs by their range and no ids by name.
    """
    found, weak = [], []
    for name in columns(frame):
        values = frame[name].drop_nulls()
        if values.is_empty():
            continue
        if isinstance(values.dtype, pl.Datetime) or (
            values.dtype == pl.String and values.str.contains(_TEXT).sum() >= _MOSTLY * values.len()
        ):
            found.append(name)
        elif values.dtype == pl.Date or (
            values.dtype == pl.String
            and words.is_time(name)
            and values.str.contains(_DAY).sum() >= _MOSTLY * values.len()
        ):
            weak.append(name)
        elif values.dtype.is_numeric() and not words.is_id(name):
            epochs = sum(shares(values).values())
            if words.is_time(name) and epochs >= _MOSTLY:
                found.append(name)
            elif epochs >= _MOSTLY:
                weak.append(name)
    return found or weak


def shares(values: pl.Series) -> dict[str, float]:
    """unit -> share of the numbers that are times of the years 2000 to 2039 in this unit. No number is one in two units."""
    numbers = values.cast(pl.Float64, strict=False)
    return {
        unit: float(((numbers >= _EARLIEST * per) & (numbers < _LATEST * per)).sum() / max(values.len(), 1))
        for unit, per in _PER_SECOND.items()
    }


def unreadable_time(frame: pl.DataFrame, source: str) -> str | None:
    """The first column with the name of a time, if the name of the source is that of events and no column can be read as a time."""
    named = [name for name in columns(frame) if words.is_time(name) and frame[name].drop_nulls().len()]
    return named[0] if named and words.stage(source) is not None and not time_columns(frame) else None


def _refuse_unreadable(values: pl.Series, stream: str, answers: Answers) -> None:
    """Refuses a stream of events, by its name, whose time is in a form that only the user knows."""
    problem = (
        f"{values.name!r} may be its time, but its values, such as {values.drop_nulls()[0]!r}, are neither ISO 8601 nor epochs of 2000 to 2039. "
        "Convert them, or write the recipe by hand with time.format."
    )
    answers.decide(stream, problem, (), f"--time {stream}=COLUMN and --unit {stream}=UNIT")


def _unit(values: pl.Series, stream: str, answers: Answers) -> Unit:
    given = answers.of(answers.unit, stream)
    if given is not None:
        if given not in (*_PER_SECOND, "text"):
            answers.decide(stream, f"unknown unit {given!r}", (), f"--unit {stream}=s, ms, us, ns or text")
        return cast(Unit, given)
    present = values.drop_nulls()
    if not present.dtype.is_numeric():
        return "text"
    found = shares(present)
    best = max(found, key=lambda unit: found[unit])
    if found[best] >= 1 - _SOME or (found[best] >= _MOSTLY and sum(found.values()) - found[best] < _SOME):
        return cast(Unit, best)
    likely = [unit for unit, share in found.items() if share >= _SOME]
    said = ", ".join(f"{found[unit]:.0%} are times of 2000 to 2039 in {unit}" for unit in likely) or (
        f"its numbers, such as {present[0]}, are no times of 2000 to 2039 in any unit"
    )
    option = f"--unit {stream}=UNIT"
    return cast(Unit, answers.decide(stream, f"the unit of {values.name!r} is not clear: {said}.", likely, option))


def _with_zone(frame: pl.DataFrame, column: str, unit: Unit, stream: str, answers: Answers) -> FoundTime:
    values, zone = frame[column].drop_nulls(), answers.of(answers.zone, stream)
    if unit != "text":
        share = shares(values)[unit]
        return FoundTime(
            column=column, unit=unit, note=f"{share:.1%} of the values are times of 2000 to 2039 in {unit}"
        )
    if isinstance(values.dtype, pl.Datetime | pl.Date):
        local = getattr(values.dtype, "time_zone", None) is None
    else:
        local = not values.cast(pl.String).str.contains(_OFFSET).all()
    if not local:
        return FoundTime(column=column, unit=unit, zone=zone, note="ISO times with an offset from UTC")
    if zone is not None:
        return FoundTime(column=column, unit=unit, zone=zone, note="times without an offset; --zone names their zone")
    return FoundTime(column=column, unit=unit, zone="UTC", note="times without an offset", unsure=_LOCAL)


_LOCAL = "zone UTC is an assumption. Alternative: the zone of the clocks that wrote the log, such as Europe/Vienna"


def check_zones(times: Sequence[tuple[str, FoundTime]], answers: Answers) -> None:
    """Refuses an assumed zone beside streams whose times are known in UTC: the windows would be shifted by the offset.

    Raises:
        InputError: as above.
    """
    assumed = [stream for stream, time in times if time.unsure == _LOCAL]
    if assumed and len(assumed) < len(times):
        other = next(stream for stream, time in times if time.unsure != _LOCAL)
        answers.decide(
            assumed[0],
            f"the times have no offset from UTC, but those of {other} are known in UTC.",
            (),
            f"--zone {assumed[0]}=ZONE, such as UTC or Europe/Vienna",
        )
