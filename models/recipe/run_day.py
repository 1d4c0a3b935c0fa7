"""The day of a run that a schedule starts: a day, the moment of the schedule, or a macro that Kubeflow replaces by this moment."""

from __future__ import annotations

import datetime
from typing import Annotated

import pydantic

from models.recipe.errors import InputError
from models.recipe.spans import EPOCH, LATEST, parse_day, text_of
from models.recipe.units import parse_moment

SCHEDULED = "[[ScheduledTime]]"
"""Kubeflow replaces it in the parameters of a recurring run by the moment for which the run is scheduled, such as 20261129030000, in UTC."""

_MACROS = (SCHEDULED, "[[ScheduledTime.20060102150405]]", "[[ScheduledTime.2006-01-02T15:04:05Z]]")
_DIGITS = "%Y%m%d%H%M%S"
_EXPECTED = (
    f"expected {SCHEDULED} (the newest day that has ended at the scheduled moment), a day such as 2026-11-28, with `span: 1h` an hour such as "
    f"2026-11-28T05, a moment such as 2026-11-29T03:00:00Z, or {LATEST}"
)


def is_macro(day: str) -> bool:
    """Whether the text is a macro of Kubeflow."""
    return day.startswith("[[")


def parse_run_day(value: object) -> str:
    """Checks the day of a scheduled run.

    Raises:
        ValueError: it is neither a day nor a moment, or a macro that does not tell which day has ended.
    """
    text = value.isoformat() if isinstance(value, datetime.date) else str(value).strip()
    if text in (LATEST, *_MACROS):
        return text
    if is_macro(text):
        raise ValueError(
            f"{_EXPECTED}. [[CurrentTime]] changes if a run starts late, and [[ScheduledTime.2006-01-02]] is a day that has not ended"
        )
    if _moment(text) is not None:
        return text
    try:
        return parse_day(text)
    except ValueError:
        raise ValueError(_EXPECTED) from None


RunDay = Annotated[
    str,
    pydantic.BeforeValidator(parse_run_day),
    pydantic.WithJsonSchema({"type": "string", "examples": [SCHEDULED, "2026-11-28", "2026-11-29T03:00:00Z", LATEST]}),
]


def day_of_run(day: str, scheduled: str, hours: int) -> str:
    """The day that a run reads up to, or `latest`.

    Args:
        day: the parameter of the run.
        scheduled: the moment for which the run is scheduled, or text that Kubeflow has not replaced by it. Used if `day` is a macro that
            Kubeflow has not replaced: not all versions replace macros in pipelines of version 2.
        hours: length of a span of the recipe.

    Raises:
        InputError: the day cannot be told, or is not of the recipe's span.
    """
    given = day
    if is_macro(day):
        day = scheduled
        moment = _moment(day)
        if moment is None or moment.year < 1990:
            raise InputError(
                f"parameter day: received {given!r}, which this version of Kubeflow has not replaced by a moment, and it does not tell the "
                f"scheduled moment in another way ({scheduled!r}). Start the run with a day, such as day=2026-11-28, or let the schedule "
                f"run with day: {LATEST}, the newest day of which every stream has a file."
            )
    try:
        day = parse_run_day(day)
    except ValueError as error:
        raise InputError(f"parameter day: {error}; received {given!r}.") from None
    if day == LATEST:
        return day
    moment = _moment(day)
    if moment is not None:
        span = datetime.timedelta(hours=hours)
        return text_of(EPOCH + ((moment - EPOCH) // span - 1) * span, hours)
    if ("T" in day) != (hours == 1):
        wanted = "an hour, such as 2026-11-28T05" if hours == 1 else "a day, such as 2026-11-28"
        raise InputError(f"parameter day: expected {wanted}; received {given!r}.")
    return day


def _moment(text: str) -> datetime.datetime | None:
    try:
        if text.isdigit():
            return datetime.datetime.strptime(text, _DIGITS).replace(tzinfo=datetime.UTC)
        return parse_moment(text)
    except ValueError:
        return None
