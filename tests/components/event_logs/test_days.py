"""Which days of a stream are missing: by hand, and in made logs from which a day is deleted."""

from __future__ import annotations

import datetime
from collections import Counter

import numpy as np
import pytest

from components.event_logs.days import Missing, by_day, missing, text, unit
from components.event_logs.timeline import HOUR, Timeline

MONDAY = int(datetime.datetime(2026, 1, 5, tzinfo=datetime.UTC).timestamp()) // 3600
Hours = dict[str, dict[int, float]]


def found(views: dict[int, int], clicks: dict[int, int], until: int, least: float = 0.2) -> list[Missing]:
    """Of rows by hour since Monday."""
    streams = {
        name: Timeline(Counter({MONDAY + hour: rows for hour, rows in hours.items() if rows}))
        for name, hours in (("view", views), ("click", clicks))
    }
    return missing("view", ["click"], streams, (MONDAY + until) * HOUR, least)


def daily(*rows: int) -> dict[int, int]:
    return {24 * day + 12: count for day, count in enumerate(rows)}


def test_a_day_by_hand() -> None:
    views, clicks = daily(100, 200, 100, 50, 100), daily(20, 40, 0, 10, 20)
    (one,) = found(views, clicks, 5 * 24)
    # Each other day has a click to five views: a fifth of 100 views.
    assert one == Missing(
        stream="click",
        per="view",
        start=MONDAY + 48,
        hours=24,
        found=0,
        of=100,
        expected=20.0,
        near=tuple(
            (MONDAY + 24 * day, rows, of) for day, rows, of in ((0, 20, 100), (1, 40, 200), (3, 10, 50), (4, 20, 100))
        ),
        certain=True,
    )
    assert text(one.start, 24) == "2026-01-07" and text(one.start + 3, 24) == "2026-01-07T03:00Z"
    assert text(one.start, 1) == "2026-01-07T00:00Z"


@pytest.mark.parametrize(
    ("views", "clicks", "until", "certain"),
    [
        ((100,) * 5, (20, 20, 0, 20, 20), 120, [True]),
        ((100,) * 5, (20, 20, 4, 20, 20), 120, [True]),  # 4 of 20 by chance: one in 60,000 days
        ((1000,) * 5, (200, 200, 30, 200, 200), 120, [True]),
        ((1000,) * 5, (200, 200, 50, 200, 200), 120, []),  # more than a fifth
        ((100,) * 5, (10, 10, 0, 10, 10), 120, []),  # fewer than 15 are expected
        ((100, 100, 3, 100, 100), (20, 20, 0, 20, 20), 120, [False]),  # few impressions, and no outcomes
        ((100,) * 5, (20, 20, 20, 20, 0), 120, [True]),  # the last day, said to be complete
        ((100,) * 5, (20, 20, 20, 20, 0), 108, []),  # and not
        ((100,) * 5, (0, 0, 20, 20, 20), 120, [False]),  # logged from Wednesday on, perhaps
        ((100,) * 7, (20, 20, 20, 20, 20, 20, 0), 168, [False]),  # a Sunday that no other can be compared with
        ((100,) * 14, (20, 20, 20, 20, 20, 20, 0) * 2, 336, []),  # closed on Sundays
        ((100,) * 14, (20,) * 6 + (0,) + (20,) * 7, 336, [True]),
        ((100, 100, 0, 100, 100), (20, 20, 20, 20, 20), 120, [True]),  # no impressions, but outcomes
        ((100, 100, 0, 100, 100), (20, 20, 0, 20, 20), 120, [False]),  # no row at all
        ((100, 100, 40, 100, 100), (20, 20, 60, 20, 20), 120, []),  # somebody clicked a lot
        (
            (100,) * 5 + (0,) * 3,
            (20,) * 5 + (15, 15, 15),
            192,
            [False],
        ),  # outcomes are waited for after the last impression
        ((1000,) * 8, (1, 3, 60, 150, 200, 200, 200, 200), 192, [False]),  # outcomes that take days to come
        ((100,) * 12, (20, 20, 0, 0, 0, 0, 0, 0, 20, 20, 20, 20), 288, [True]),
        (
            (100,) * 12,
            (0, 2, 0, 0, 0, 0, 0, 0, 20, 20, 20, 20),
            288,
            [False],
        ),  # two clicks of a test before the first day
        ((100, 100, 100, 2000, 100, 100, 100), (20,) * 7, 168, []),  # robots, or a sale
        ((100, 100, 100, 2000, 100, 100, 100), (20, 20, 20, 0, 20, 20, 20), 168, [True]),
        ((400,) * 16, (80, 4, 90, 3, 60, 30, 2, 70, 9, 50, 3, 8, 70, 66, 5, 99), 384, []),  # varies that much anyway
    ],
)
def test_which_days_are_missing(views: tuple, clicks: tuple, until: int, certain: list[bool]) -> None:
    assert [one.certain for one in found(daily(*views), daily(*clicks), until)] == certain


def test_all_days_that_are_missing_are_named() -> None:
    views, clicks = daily(*(100,) * 14), daily(20, 20, 0, 1, 20, 20, 20, 20, 20, 20, 20, 0, 20, 20)
    (one,) = found(views, clicks, 14 * 24)
    assert [one.start, *sorted(one.also)] == [MONDAY + 24 * day for day in (2, 3, 11)]


def test_the_share_is_a_limit() -> None:
    views, clicks = daily(*(1000,) * 5), daily(200, 200, 80, 200, 200)
    assert not found(views, clicks, 120) and len(found(views, clicks, 120, least=0.5)) == 1
    assert not found(views, daily(200, 200, 1, 200, 200), 120, least=0.0)
    assert len(found(views, daily(200, 200, 0, 200, 200), 120, least=0.0)) == 1


def shop(rng: np.random.Generator, days: int, rate: float, per_hour: int) -> tuple[np.ndarray, np.ndarray]:
    """Views and clicks by hour, more by day than by night, fewer on weekends, and rates that differ from day to day."""
    hour = np.arange(days * 24)
    busy = (1.2 + np.sin((hour % 24 - 9) / 24 * 2 * np.pi)) * np.where(hour // 24 % 7 >= 5, 0.5, 1.0)
    views = rng.poisson(busy * per_hour)
    return views, rng.binomial(views, np.clip(np.repeat(rate * rng.lognormal(0.0, 0.2, days), 24), 0, 1))


@pytest.mark.parametrize("seed", range(30))
def test_no_day_is_missing_where_none_is(seed: int) -> None:
    rng = np.random.default_rng(seed)
    days, rate = int(rng.integers(1, 60)), float(rng.choice([0.001, 0.01, 0.1, 0.3]))
    views, clicks = shop(rng, days, rate, int(rng.choice([3, 30, 1000])))
    certain = [one for one in found(dict(enumerate(views)), dict(enumerate(clicks)), days * 24) if one.certain]
    assert not certain


@pytest.mark.parametrize("seed", range(30))
def test_a_deleted_day_is_missing_wherever_it_begins(seed: int) -> None:
    rng = np.random.default_rng(100 + seed)
    days = int(rng.integers(16, 40))
    views, clicks = shop(rng, days, 0.1, 100)
    start = int(rng.integers(24, (days - 2) * 24))
    of = clicks if seed % 2 else views
    of[start : start + 24] = 0
    (one,) = found(dict(enumerate(views)), dict(enumerate(clicks)), days * 24)
    assert one.certain and one.stream == ("click" if seed % 2 else "view") and one.found <= 0.1 * one.expected
    assert abs(one.start - MONDAY - start) <= 12


def test_a_clock_behind_makes_no_log_longer() -> None:
    rng = np.random.default_rng(1)
    views, clicks = (dict(enumerate(rows)) for rows in shop(rng, 3, 0.2, 500))
    views[-400 * 24] = clicks[-400 * 24] = 1
    assert unit([Timeline(Counter({MONDAY + hour: int(rows) for hour, rows in views.items()}))]) == 1
    assert not found(views, clicks, 72)
    clicks[30] = 0
    assert [(one.start, one.hours) for one in found(views, clicks, 72)] == [(MONDAY + 30, 1)]
    views, clicks = (dict(enumerate(rows)) for rows in shop(rng, 6, 0.2, 500))
    views[-400 * 24] = 1
    assert not found(views, clicks, 6 * 24), "the days between are not missing"


def test_a_deleted_hour_of_a_short_log() -> None:
    rng = np.random.default_rng(1)
    views, clicks = shop(rng, 3, 0.2, 500)
    clicks[30] = 0
    (one,) = found(dict(enumerate(views)), dict(enumerate(clicks)), 72)
    assert (one.stream, one.start, one.hours, one.certain) == ("click", MONDAY + 30, 1, True)


def test_rows_by_day_or_hour() -> None:
    short = {"view": Timeline(Counter({MONDAY: 2, MONDAY + 95: 1}))}
    assert unit(short.values()) == 1
    assert by_day(short, 1) == {"view": {"2026-01-05T00:00Z": 2, "2026-01-08T23:00Z": 1}}
    long = {"view": Timeline(Counter({MONDAY + 95: 1, MONDAY: 2, MONDAY + 23: 5, MONDAY + 96: 1})), "click": Timeline()}
    assert unit(long.values()) == 24
    assert by_day(long, 24) == {"view": {"2026-01-05": 7, "2026-01-08": 1, "2026-01-09": 1}, "click": {}}
