"""The times of a stream's events in bounded memory: rows by hour, and the few latest rows with file and row number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

HOUR = 3_600_000_000
"""Microseconds."""
PLACES = 5
"""Number of latest rows with file and row number."""
LEAST_REST, LEAST_GAP, TIMES_THE_LONGEST = 20, 48, 3
"""See `ahead`."""


@dataclass
class Timeline:
    """`hours`: {hour since 1970: rows}; `latest`: (time, file, row) of the latest rows, latest first, then by file and row.

    The sum of timelines does not depend on their order or grouping.
    """

    hours: Counter[int] = field(default_factory=Counter)
    latest: list[tuple[int, str, int]] = field(default_factory=list)

    def add(self, times: pl.Series, rows: np.ndarray, file: str) -> None:
        """Adds rows of a file: their times in microseconds, and their numbers."""
        if not len(times):
            return
        hours, counts = (times // HOUR).alias("hour").value_counts(name="rows").get_columns()
        self.hours.update(dict(zip(hours.to_list(), counts.to_list(), strict=True)))
        values = times.to_numpy()
        enough = np.partition(values, len(values) - PLACES)[-PLACES] if len(values) > PLACES else values.min()
        at = np.flatnonzero(values >= enough)
        at = at[np.lexsort((rows[at], -values[at]))][:PLACES]
        self._place((int(values[i]), file, int(rows[i])) for i in at)

    def merge(self, other: Timeline) -> None:
        """Adds another timeline."""
        self.hours.update(other.hours)
        self._place(other.latest)

    @property
    def begin(self) -> int | None:
        """The first hour, ignoring a few early rows from clocks that run behind. None without rows."""
        hours, counts = _sorted(self)
        if not len(hours):
            return None
        begun = np.cumsum(counts) > (_handful(counts) if counts.sum() >= LEAST_REST else 0)
        return int(hours[np.argmax(begun)])

    @property
    def watermark(self) -> int | None:
        """The time of the latest event; None without events."""
        return self.latest[0][0] if self.latest else None

    def to_json(self) -> dict[str, Any]:
        """The timeline as values of JSON."""
        return {"hours": sorted(self.hours.items()), "latest": self.latest}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Timeline:
        """The timeline that `to_json` made."""
        return cls(
            Counter(dict(map(tuple, fields["hours"]))), [(time, file, row) for time, file, row in fields["latest"]]
        )

    def _place(self, places: Iterable[tuple[int, str, int]]) -> None:
        self.latest = sorted([*self.latest, *places], key=lambda place: (-place[0], *place[1:]))[:PLACES]


def ahead(name: str, timelines: Mapping[str, Timeline]) -> tuple[int, int] | None:
    """(number of last rows written by a clock that runs ahead, hours between them and the earlier rows); None without such rows.

    The last rows come from such a clock if all of these hold: they are at most 3 rows or a thousandth of the stream; at least 48
    hours without a row of the stream precede them, more than three times the longest earlier gap; at least 20 rows are
    earlier; and no other stream has more than as small a number of its own rows at that time or later.
    """
    hours, counts = _sorted(timelines[name])
    if len(hours) < 2:
        return None
    gaps, earlier = np.diff(hours), np.cumsum(counts)[:-1]
    longest = np.concatenate([[0], np.maximum.accumulate(gaps)[:-1]])
    tail = counts.sum() - earlier
    far = (gaps >= LEAST_GAP) & (gaps > TIMES_THE_LONGEST * longest) & (earlier >= LEAST_REST)
    found = np.flatnonzero(far & (tail <= _handful(counts)))
    if not len(found):
        return None
    start = hours[found[0] + 1]
    for other, timeline in timelines.items():
        there, rows = _sorted(timeline)
        if other != name and rows[there >= start].sum() > _handful(rows):
            return None
    return int(tail[found[0]]), int(gaps[found[0]])


def _handful(counts: np.ndarray) -> int:
    return max(3, int(counts.sum()) // 1000)


def _sorted(timeline: Timeline) -> tuple[np.ndarray, np.ndarray]:
    pairs = sorted(timeline.hours.items())
    return np.array([hour for hour, _ in pairs], np.int64), np.array([rows for _, rows in pairs], np.int64)
