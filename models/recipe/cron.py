"""Parses the times of a schedule: the five fields of a crontab, or six with the seconds first."""

from __future__ import annotations

import calendar
import re
from typing import Annotated

import pydantic

_MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("second", 0, 59, {}),
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of the month", 1, 31, {}),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 6, _DAYS),
)
_LONGEST = {month: 29 if month == 2 else calendar.monthrange(2001, month)[1] for month in range(1, 13)}
_PART = re.compile(r"(?P<low>\*|\?|\w+)(-(?P<high>\w+))?(/(?P<step>\d+))?")


def parse_cron(value: object) -> str:
    """Converts a schedule to the six fields of Kubeflow Pipelines: second, minute, hour, day of the month, month, weekday.

    Five fields are those of a crontab, at second 0. Kubeflow would read five fields as the first five of the six: "0 3 *
    * *" would run every hour at three minutes past.

    Args:
        value: "MINUTE HOUR DAY MONTH WEEKDAY" ("0 3 * * *": every night at three), or the same after SECOND. A field is
            `*` (or `?`), a number or a range `1-5`, each with an optional step `/15`, or a comma-separated list of
            these. Months and weekdays may be names; Sunday is 0. If both the day of the month and the weekday are
            restricted, either one is enough.

    Raises:
        ValueError: the text is not a schedule, or its time never occurs (the 30th of February).
    """
    fields = value.split() if isinstance(value, str) else []
    if len(fields) == 5:
        fields = ["0", *fields]
    if len(fields) != 6:
        raise ValueError(
            "expected minute, hour, day of the month, month and day of the week, in quotes, such as '0 3 * * *' for every "
            f"night at three; received {value!r}"
        )
    times = [_times(text, *field, complete=f"{value}") for text, field in zip(fields, _FIELDS, strict=True)]
    days, months = times[3], times[4]
    if fields[5][0] in "*?" and not any(min(days) <= _LONGEST[month] for month in months):
        raise ValueError(
            f"expected a time that occurs, but no month of {fields[4]} has a day {fields[3]}; received {value!r}"
        )
    return " ".join(fields)


def _times(text: str, what: str, first: int, last: int, names: dict[str, int], *, complete: str) -> set[int]:
    """The numbers of a field."""
    example = f", or a name such as {next(iter(names))}" if names else ""
    expected = f"expected as {what} * or {first} to {last}{example}, with - / and ,"

    def number(word: str) -> int:
        found = names.get(word.lower(), int(word) if word.isascii() and word.isdigit() else None)
        if found is None or not first <= found <= last:
            raise ValueError(f"{expected}; received {text!r} in {complete!r}")
        return found

    times: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None or (match["low"] in ("*", "?") and match["high"]) or match["step"] in ("0", "00"):
            raise ValueError(f"{expected}; received {text!r} in {complete!r}")
        every = match["low"] in ("*", "?")
        low = first if every else number(match["low"])
        high = number(match["high"]) if match["high"] else last if every or match["step"] else low
        if low > high:
            raise ValueError(f"expected an increasing range; received {part!r} in {complete!r}")
        times.update(range(low, high + 1, int(match["step"] or 1)))
    return times


Cron = Annotated[str, pydantic.BeforeValidator(parse_cron)]
