"""The streams of the sources: one for each file of events, or one for each value of the column that tells the events apart."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import polars as pl

from pipeline.starting import words
from pipeline.starting.answers import Answers
from pipeline.starting.sampling import Sample, columns
from pipeline.starting.sources import plain_name
from pipeline.starting.times import FoundTime, check_zones, find_time

AT = "\0at"
"""Column with the time in microseconds."""
_MOST_EVENTS = 30


@dataclasses.dataclass(frozen=True, kw_only=True)
class FoundStream:
    """A stream of events.

    Attributes:
        name: its name in the recipe.
        sample: the rows of its source.
        frame: its own rows with a valid time, with the column AT, by time.
        time: the column of the time.
        where: column and value that select its rows; None if the source has no other rows.
        event_id: column with the id of the event; None if there is none.
    """

    name: str
    sample: Sample
    frame: pl.DataFrame
    time: FoundTime
    where: tuple[str, object] | None = None
    event_id: str | None = None

    @property
    def columns(self) -> list[str]:
        """The columns with a value, without the time and the column of `where`."""
        own = {self.time.column, self.where[0] if self.where else ""}
        return [
            name
            for name in columns(self.frame)
            if name not in own and self.frame[name].null_count() < self.frame.height
        ]

    @property
    def rows(self) -> int:
        """Estimated rows in all files."""
        return self.frame.height * self.sample.every


def event_column(frame: pl.DataFrame, answers: Answers) -> str | None:
    """The column whose values tell events of a mixed file apart, by its name or by its values."""
    if answers.events is not None:
        return answers.events if answers.events in columns(frame) else None
    found = [name for name in columns(frame) if _is_mixed(frame[name], name)]
    return found[0] if found else None


def _is_mixed(values: pl.Series, name: str) -> bool:
    if values.dtype != pl.String and not (words.is_event_type(name) and values.dtype.is_integer()):
        return False
    kinds = values.drop_nulls().unique().to_list()
    if not 2 <= len(kinds) <= _MOST_EVENTS:
        return False
    known = sum(words.stage(str(kind)) is not None for kind in kinds)
    return known >= 2 if not words.is_event_type(name) else values.dtype.is_integer() or known >= 1


def find_streams(samples: Sequence[Sample], answers: Answers) -> tuple[list[FoundStream], list[str]]:
    """The streams of the sources with a time, and a note about each source that is not read.

    Raises:
        InputError: as `find_time`; or the zones of the streams do not fit.
    """
    found: list[FoundStream] = []
    notes: list[str] = []
    for sample in samples:
        source, frame = sample.source, sample.frame
        time = find_time(frame, source.name, answers) if frame.height else None
        if time is None:
            notes.append(f"{source.path} is not read: it has {'no column with a time' if frame.height else 'no rows'}.")
            continue
        frame = (
            frame.with_columns(time.micros(frame).alias(AT))
            .filter(pl.col(AT).is_not_null())
            .sort(AT, maintain_order=True)
        )
        mixed = event_column(frame, answers)
        parts: list[tuple[str, tuple[str, object] | None, pl.DataFrame]] = [(source.name, None, frame)]
        if mixed is not None:
            kinds = frame[mixed].drop_nulls().value_counts(sort=True).sort(["count", mixed], descending=[True, False])
            values = kinds[mixed].to_list()
            taken: list[str] = [stream.name for stream in found]
            parts = []
            for value in values:
                name = plain_name(str(value), [*taken, *(part[0] for part in parts)])
                parts.append((name, (mixed, value), frame.filter(pl.col(mixed) == value)))
        for name, where, rows in parts:
            stream = FoundStream(name=name, sample=sample, frame=rows, time=time, where=where)
            found.append(dataclasses.replace(stream, event_id=_event_id(stream)))
    check_zones([(stream.name, stream.time) for stream in found], answers)
    return found, notes


def _event_id(stream: FoundStream) -> str | None:
    """The column of ids that differ in nearly all rows: `impression_id`, `click_id` or one named after the stream."""
    for name in stream.columns:
        values = stream.frame[name]
        plain = words.snake(name)
        named = plain in (f"{stream.name}_id", f"{stream.name}_uuid", "event_id", "id", "uuid") or words.is_event_id(
            name
        )
        if (
            named
            and values.dtype in (pl.String, pl.Int64, pl.UInt64, pl.Int32)
            and values.n_unique() >= 0.95 * values.len()
        ):
            return name
    return None
