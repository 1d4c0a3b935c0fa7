"""Spans: the days or hours into which the folders of the logs are divided, in UTC, and those that a run reads.

             |---------- split.train_last ----------|-- split.eval_last --|
first span --'                                               logs.day ----'
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import pydantic

from models.recipe.errors import InputError
from models.recipe.stage_plan import StagePlan

if TYPE_CHECKING:
    from models.recipe.night import Cursor, Night
    from models.recipe.recipe import Recipe

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
HOURS = {"1d": 24, "1h": 1}
"""Value of `logs.span` -> its hours."""
LATEST = "latest"
PLACEHOLDERS = {"YYYY": "%Y", "MM": "%m", "DD": "%d", "HH": "%H"}
"""Name of a placeholder in a path -> its strftime code. TFX's ExampleGen has the same names."""
NEEDED = {24: ("YYYY", "MM", "DD"), 1: ("YYYY", "MM", "DD", "HH")}
"""Hours of a span -> the placeholders that tell one span from all others."""
_PLACEHOLDER = re.compile(r"\{(\w*)\}")
_TEXT = {24: "%Y-%m-%d", 1: "%Y-%m-%dT%H"}
_WRITTEN = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2})?")


class Spans(StagePlan):
    """The spans of one stream that a run reads: `first` to `until`, of `hours` each, such as "2026-11-28" or "2026-11-28T05".

    `day` is the day of the run. Spans after it exist only for outcomes, and their files may be absent. `may_be_empty`: so may
    the files of any span.
    """

    hours: int
    first: str
    day: str
    until: str
    may_be_empty: bool = False

    def starts(self) -> Iterator[datetime.datetime]:
        """The start of each span, the oldest first."""
        start, until = start_of(self.first), start_of(self.until)
        while start <= until:
            yield start
            start += datetime.timedelta(hours=self.hours)

    def required(self, start: datetime.datetime) -> bool:
        """Whether the stream must have a file of the span."""
        return not self.may_be_empty and start <= start_of(self.day)


def parse_day(value: object) -> str:
    """Checks a day "2026-11-28", or an hour of a day "2026-11-28T05", in UTC.

    Raises:
        ValueError: it is neither, or not in the calendar.
    """
    text = value.isoformat() if type(value) is datetime.date else str(value).strip()
    try:
        start_of(text)
    except ValueError:
        raise ValueError(
            "expected a day of 1990-2100 in UTC, such as 2026-11-28, or with `span: 1h` an hour, such as 2026-11-28T05"
        ) from None
    return text


def _parse_day_or_latest(value: object) -> str:
    return LATEST if value == LATEST else parse_day(value)


Day = Annotated[
    str,
    pydantic.BeforeValidator(_parse_day_or_latest),
    pydantic.WithJsonSchema({"type": "string", "examples": ["2026-11-28", "2026-11-28T05", LATEST]}),
]


def start_of(day: str) -> datetime.datetime:
    """The first moment of a day or hour.

    Raises:
        ValueError: the text is neither.
    """
    if not _WRITTEN.fullmatch(day) or not 1990 <= int(day[:4]) <= 2100:
        raise ValueError(f"not a day of 1990-2100: {day!r}")
    return datetime.datetime.fromisoformat(day).replace(tzinfo=datetime.UTC)


def text_of(start: datetime.datetime, hours: int) -> str:
    """The span that begins at a moment: "2026-11-28", or "2026-11-28T05" if its length is an hour."""
    return start.strftime(_TEXT[hours])


def placeholders(path: str) -> tuple[str, ...]:
    """The names in braces in a path, known or not. A brace of a file's name is written `[{]`."""
    return tuple(_PLACEHOLDER.findall(path))


def expanded(path: str, start: datetime.datetime) -> str:
    """The path of the span that begins at a moment: `dt={YYYY}-{MM}-{DD}/*.csv` -> `dt=2026-11-28/*.csv`."""
    return _PLACEHOLDER.sub(lambda match: f"{start:{PLACEHOLDERS[match[1]]}}", path)


def of_any_span(path: str) -> str:
    """The glob that matches the files of all spans."""
    return _PLACEHOLDER.sub(lambda match: "[0-9]" * (4 if match[1] == "YYYY" else 2), path)


def span_in(path: str, file: str, hours: int) -> datetime.datetime | None:
    """The start of the span of a file that `of_any_span(path)` matches; None if its names are no date.

    Args:
        path: the stream's path with placeholders.
        file: the file's path, which ends with what `path` matches.
        hours: length of a span.
    """
    found = re.compile(_pattern(path)).fullmatch(file)
    digits = found.groupdict() if found else {}
    codes = [PLACEHOLDERS[name] for name in NEEDED[hours]]
    try:
        text = " ".join(digits[name] for name in NEEDED[hours])
        return datetime.datetime.strptime(text, " ".join(codes)).replace(tzinfo=datetime.UTC)
    except (ValueError, KeyError):
        return None


def _pattern(path: str) -> str:
    """A regular expression with a group for each placeholder. A repeated placeholder must repeat its digits."""
    seen: set[str] = set()

    def part(found: re.Match[str]) -> str:
        text, name = found[0], found[1]
        if name in seen:
            return f"(?P={name})"
        if name:
            seen.add(name)
            return rf"(?P<{name}>\d{{{4 if name == 'YYYY' else 2}}})"
        if text.startswith("[") and len(text) > 1:
            inside = re.sub(r"([\\^\[&~|])", r"\\\1", text[1:-1].removeprefix("!"))
            return f"[{'^' * (text[1] == '!')}{inside}]"
        return {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(text) or re.escape(text)

    names = "/".join(name for name in path.split("/") if name not in ("", "."))
    return "(?:.*/)?" + re.sub(r"\{(\w+)\}|\*\*/|\*\*|\*|\?|\[!?\]?[^\]]*\]|.", part, names, flags=re.DOTALL)


def end_of(recipe: Recipe) -> datetime.datetime:
    """The end of the day of a run.

    Raises:
        InputError: the day is not chosen yet.
    """
    logs = recipe.logs
    if logs is None or logs.span is None:
        raise ValueError("the recipe has no `logs.span`")
    if logs.day == LATEST:
        raise InputError(
            "logs.day is `latest`, which only `gatewise run` looks up. Name the day, such as --set logs.day=2026-11-28."
        )
    return start_of(logs.day) + datetime.timedelta(hours=HOURS[logs.span])


def as_of(recipe: Recipe) -> datetime.datetime:
    """The moment up to which a run with spans knows outcomes: the end of its day, unless `logs.as_of` is a moment.

    Raises:
        InputError: `logs.as_of` is before the end of the day.
    """
    end, logs = end_of(recipe), recipe.logs
    if logs is None or not isinstance(logs.as_of, datetime.datetime):
        return end
    if logs.as_of < end:
        raise InputError(
            f"logs.as_of: expected at least the end of the day {logs.day}, {end.isoformat()}; received {logs.as_of.isoformat()}. "
            "Remove the key, choose an earlier day, or set a later moment."
        )
    return logs.as_of


def eval_start(recipe: Recipe) -> datetime.datetime:
    """The start of the eval split of a run with spans: `split.eval_last` before the end of its day."""
    return end_of(recipe) - (recipe.split.eval_last or datetime.timedelta())


def spans_of(recipe: Recipe, stream: str, night: Night | None = None) -> Spans | None:
    """The spans of a stream that a run reads; None for a recipe without `logs.span`.

    Impressions: from `train_last` before the eval split to the day; of a warm night, from the first impression with a label that its
    ancestor may not have learned. Outcomes: also the spans after the day that begin before `as_of` and in the longest window
    of the stream's tasks.

    Raises:
        InputError: the day is not chosen yet, or `logs.as_of` is before its end.
    """
    logs = recipe.logs
    if logs is None or logs.span is None:
        return None
    hours, end, known = HOURS[logs.span], end_of(recipe), as_of(recipe)
    first = eval_start(recipe) - (recipe.split.train_last or datetime.timedelta())
    if night is not None and night.cursor is not None:
        first = max(first, _first_new(recipe, night.cursor, hours))
    until = end
    if stream != logs.impressions:
        windows = [task.window for task in recipe.tasks.values() if task.outcome == stream and task.window]
        until = max(end, min(known, end + max(windows, default=datetime.timedelta())))
    span = datetime.timedelta(hours=hours)
    last = end + (-((end - until) // span) - 1) * span
    return Spans(
        hours=hours,
        first=text_of(first, hours),
        day=logs.day,
        until=text_of(last, hours),
        may_be_empty=logs.streams[stream].may_be_empty,
    )


def _first_new(recipe: Recipe, cursor: Cursor, hours: int) -> datetime.datetime:
    """The start of the span with the first impression that may have a label which `cursor` does not have."""
    longest = max((task.window or datetime.timedelta() for task in recipe.tasks.values()), default=datetime.timedelta())
    until, known = (EPOCH + datetime.timedelta(microseconds=micros) for micros in (cursor.until, cursor.as_of))
    span = datetime.timedelta(hours=hours)
    return EPOCH + (min(until, known - longest) - EPOCH) // span * span


def eval_spans(recipe: Recipe) -> Spans | None:
    """The spans of the eval split; None for a recipe without `logs.span`.

    Raises:
        InputError: the day is not chosen yet.
    """
    logs = recipe.logs
    if logs is None or logs.span is None:
        return None
    hours = HOURS[logs.span]
    return Spans(hours=hours, first=text_of(eval_start(recipe), hours), day=logs.day, until=logs.day)


def paths_of(path: str, spans: Spans | None) -> tuple[str, ...]:
    """The paths or globs of a stream's files: one for each span, or the path itself."""
    return (path,) if spans is None else tuple(expanded(path, start) for start in spans.starts())
