"""Durations and moments in microseconds."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from models.recipe.spans import start_of

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def micros(duration: datetime.timedelta) -> int:
    """Whole microseconds of a duration."""
    return duration // datetime.timedelta(microseconds=1)


def ranges_of(days: Sequence[str]) -> list[tuple[int, int]]:
    """(start, end) in microseconds since 1970 UTC of each day "2026-11-28" or hour "2026-11-28T05"."""
    found = []
    for day in days:
        start = micros(start_of(day) - EPOCH)
        found.append((start, start + micros(datetime.timedelta(hours=1 if "T" in day else 24))))
    return found
