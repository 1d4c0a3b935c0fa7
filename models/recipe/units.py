"""Parses values with a unit in a recipe: durations ("7d"), moments with an offset, shares."""

from __future__ import annotations

import datetime
import re
from typing import Annotated

import pydantic

from models.recipe.section import Number

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def parse_duration(text: object) -> datetime.timedelta:
    """Parses a duration, a whole number and a unit s, m, h, d or w: "90s", "30m", "12h", "7d".

    Raises:
        ValueError: the text is not a duration, or the duration is not above 0.
    """
    if isinstance(text, datetime.timedelta):
        return text
    match = re.fullmatch(r"(\d+)([smhdw])", str(text).strip())
    if match is None or int(match[1]) == 0:
        raise ValueError(f"expected a whole number and a unit, such as 30m, 12h or 7d; received {text!r}")
    try:
        return datetime.timedelta(seconds=int(match[1]) * _SECONDS[match[2]])
    except OverflowError:
        raise ValueError(f"expected a duration of less than three million years; received {text!r}") from None


def format_duration(value: datetime.timedelta) -> str:
    """The shortest text that `parse_duration` reads as `value`: "7d"."""
    seconds = int(value.total_seconds())
    for unit in ("w", "d", "h", "m"):
        if seconds % _SECONDS[unit] == 0 and unit != "w":
            return f"{seconds // _SECONDS[unit]}{unit}"
    return f"{seconds}s"


def parse_moment(value: object) -> datetime.datetime:
    """Parses a moment with an offset from UTC ("2026-01-15T00:00:00Z"). A date alone has no offset and is refused.

    Raises:
        ValueError: the value is not a moment, or has no offset.
    """
    if isinstance(value, str):
        try:
            value = datetime.datetime.fromisoformat(value.strip().replace("Z", "+00:00"))
        except ValueError:
            value = None
    if not isinstance(value, datetime.datetime) or value.tzinfo is None:
        raise ValueError("expected a moment with its offset from UTC, such as '2026-01-15T00:00:00Z'")
    try:
        return value.astimezone(datetime.UTC)
    except OverflowError:
        raise ValueError("expected a moment in the years 1 to 9999 UTC") from None


Duration = Annotated[
    datetime.timedelta,
    pydantic.BeforeValidator(parse_duration),
    pydantic.PlainSerializer(format_duration, return_type=str),
    pydantic.WithJsonSchema({"type": "string", "pattern": r"^\d+[smhdw]$", "examples": ["30m", "12h", "7d"]}),
]

Moment = Annotated[
    datetime.datetime,
    pydantic.BeforeValidator(parse_moment),
    pydantic.PlainSerializer(lambda moment: moment.isoformat().replace("+00:00", "Z"), return_type=str),
    pydantic.WithJsonSchema({"type": "string", "format": "date-time"}),
]

Share = Annotated[float, pydantic.Field(ge=0.0, le=1.0), Number]
