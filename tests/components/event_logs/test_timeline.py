"""Rows by hour and the latest rows, however the rows come; and which clocks are ahead."""

from __future__ import annotations

import json
import random
from collections import Counter

import numpy as np
import polars as pl
import pytest

from components.event_logs.timeline import HOUR, PLACES, Timeline, ahead

BASE = 480_000


def of_hours(*hours: float) -> Timeline:
    made = Timeline()
    made.add(pl.Series([int((BASE + hour) * HOUR) for hour in hours], dtype=pl.Int64), np.arange(len(hours)), "f")
    return made


@pytest.mark.parametrize("seed", range(20))
def test_blocks_and_their_order_change_nothing(seed: int) -> None:
    rng = random.Random(seed)
    rows = [
        ((BASE + rng.randrange(9)) * HOUR + rng.randrange(3), rng.choice("ab"), row)
        for row in range(rng.choice([0, 1, 5, 60]))
    ]
    mixed = rng.sample(rows, len(rows))
    whole = Timeline()
    while mixed:
        size = rng.randrange(1, 9)
        part, mixed = mixed[:size], mixed[size:]
        piece = Timeline()
        for file in "ab":
            own = [row for row in part if row[1] == file]
            piece.add(pl.Series([at for at, *_ in own], dtype=pl.Int64), np.array([row for *_, row in own]), file)
        whole.merge(Timeline.from_json(json.loads(json.dumps(piece.to_json()))))
    assert whole.hours == Counter(at // HOUR for at, *_ in rows)
    assert whole.latest == sorted(rows, key=lambda row: (-row[0], *row[1:]))[:PLACES]
    assert whole.watermark == max((at for at, *_ in rows), default=None)


BUSY = [hour / 4 for hour in range(400)]  # 400 rows in 100 hours
WORKDAYS = [24 * day + hour for day in (0, 1, 2, 3, 4) for hour in range(8, 18)]


@pytest.mark.parametrize(
    ("clicks", "views", "expected"),
    [
        ([*BUSY, 220.0], BUSY, (1, 121)),
        ([*BUSY, 220.0, 400.0, 400.5], BUSY, (3, 121)),
        ([*BUSY, 220.0], [*BUSY, 220.0], (1, 121)),  # the same device wrote both
        (BUSY, BUSY, None),
        ([*BUSY, 130.0], BUSY, None),  # less than 48 hours
        ([*BUSY, 220.0], [hour * 2.4 for hour in BUSY], None),  # the views go on that long
        ([*BUSY, *(220.0 + n for n in range(4))], BUSY, None),  # more than a handful
        ([*BUSY[:19], 220.0], BUSY, None),  # too few to tell
        ([*WORKDAYS, 7 * 24 + 8.0], [*WORKDAYS, *[7 * 24 + 8.0] * 5], None),  # the first minutes of a Monday
        ([*range(0, 1000, 40), 1070.0], BUSY, None),  # a stream with gaps nearly as long
        ([*range(0, 1000, 40), 1200.0], BUSY, (1, 240)),
    ],
)
def test_a_clock_ahead(clicks: list[float], views: list[float], expected: tuple[int, int] | None) -> None:
    assert ahead("click", {"click": of_hours(*clicks), "view": of_hours(*views)}) == expected
