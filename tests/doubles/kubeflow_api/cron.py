"""The parser of github.com/robfig/cron 1.2, with which the API server checks a schedule and its controller reads it."""

from __future__ import annotations

import itertools

_MONTHS = dict(
    zip(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
        itertools.count(1),
        strict=False,
    )
)
_DAYS = dict(zip(["sun", "mon", "tue", "wed", "thu", "fri", "sat"], itertools.count(), strict=False))
_BOUNDS: tuple[tuple[int, int, dict[str, int]], ...] = (
    (0, 59, {}),
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, _MONTHS),
    (0, 6, _DAYS),
)


def parse(spec: str) -> list[set[int]]:
    """The seconds, minutes, hours, days, months and days of the week of a text of five or six fields.

    Raises:
        ValueError: what the parser refuses.
    """
    fields = spec.split()
    if len(fields) not in (5, 6):
        raise ValueError(f"Expected 5 to 6 fields, found {len(fields)}: {spec}")
    # The sixth, the day of the week, may be left out. Of five, the first is still the second.
    fields = [*fields, "*"][:6]
    return [
        set().union(*(_range(part, *bounds) for part in field.split(",") if part))
        for field, bounds in zip(fields, _BOUNDS, strict=True)
    ]


def _range(text: str, low: int, high: int, names: dict[str, int]) -> set[int]:
    span, *steps = text.split("/")
    begin, *ends = span.split("-")
    if len(steps) > 1 or len(ends) > 1:
        raise ValueError(f"Too many slashes or hyphens: {text}")

    def number(word: str) -> int:
        if word.lower() in names:
            return names[word.lower()]
        if not word.isdigit():
            raise ValueError(f"Failed to parse int from {word}")
        return int(word)

    if begin in ("*", "?"):
        start, end = low, high
    else:
        start = number(begin)
        end = number(ends[0]) if ends else start
        if steps and not ends:
            end = high
    step = number(steps[0]) if steps else 1
    if start < low or end > high or start > end or step == 0:
        raise ValueError(f"Range out of bounds: {text}")
    return set(range(start, end + 1, step))
