"""Durations and moments in microseconds."""

from __future__ import annotations

import datetime

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def micros(duration: datetime.timedelta) -> int:
    """Whole microseconds of a duration."""
    return duration // datetime.timedelta(microseconds=1)
