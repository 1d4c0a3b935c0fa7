"""Times of every unit, by hand."""

from __future__ import annotations

import datetime
from decimal import Decimal

import polars as pl
import pytest

from components.event_logs.plan import TimePlan
from components.event_logs.times import NAIVE, likely_unit, micros
from models.errors import InputError

MOMENT = 1_700_000_000_000_000  # 2023-11-14T22:13:20Z


def read(values: list, unit: str, zone: str | None = None, dtype: pl.DataType | None = None) -> tuple[list, list]:
    column = pl.Series("t", values, dtype=dtype)
    times, reasons = micros(column, TimePlan(column="t", unit=unit, zone=zone), "click.csv")
    assert [time is None for time in times] == [reason is not None for reason in reasons]
    return times.to_list(), reasons.to_list()


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        (1_700_000_000, "s"),
        (1_700_000_000.0, "s"),
        (" 1700000000 ", "s"),
        ("1700000000.0", "s"),
        (1_700_000_000_000, "ms"),
        (MOMENT, "us"),
        (MOMENT * 1000 + 999, "ns"),
        ("1700000000000000999", "ns"),
        ("2023-11-14T22:13:20Z", "text"),
        ("2023-11-14 23:13:20+01:00", "text"),
        ("2023-11-14T22:13:20.000000+0000", "text"),
        ("2023-11-14T17:43:20-04:30", "text"),
    ],
)
def test_one_moment_in_every_unit(value: object, unit: str) -> None:
    assert read([value, value], unit) == ([MOMENT] * 2, [None] * 2)


def test_fractions() -> None:
    assert read([1_700_000_000.25, 1_700_000_000.123456], "s")[0] == [MOMENT + 250_000, MOMENT + 123_456]
    texts = ["2023-11-14T22:13:20.5Z", "2023-11-14T22:13:20,000001999Z", "2023-11-14T22:13Z"]
    assert read(texts, "text")[0] == [MOMENT + 500_000, MOMENT + 1, MOMENT - 20_000_000]


def test_local_times_need_a_zone_and_the_clocks_change_makes_some_impossible() -> None:
    texts = ["2026-03-29T02:30:00", "2026-10-25 02:30:00", "2026-03-29T03:30:00", "2026-03-29T02:30:00Z", "2026-01-01"]
    times, reasons = read(texts, "text", "Europe/Vienna")
    expected = ["2026-03-29T01:30:00+00:00", "2026-03-29T02:30:00+00:00", "2025-12-31T23:00:00+00:00"]
    assert times[2:] == [int(datetime.datetime.fromisoformat(text).timestamp() * 1e6) for text in expected]
    assert reasons[:2] == ["local time that Europe/Vienna skips or shows twice"] * 2
    assert read(texts[:1], "text")[1] == [NAIVE]


def test_parquet_timestamps() -> None:
    moment = datetime.datetime(2023, 11, 14, 22, 13, 20)
    assert read([moment, None], "text", "UTC")[0] == [MOMENT, None]
    assert read([moment], "text")[1] == [NAIVE]
    assert read([moment], "text", "America/Caracas")[0] == [MOMENT + 4 * 3600 * 1_000_000]
    zoned = pl.Datetime("ms", "Europe/Vienna")
    assert read([moment.replace(tzinfo=datetime.UTC)], "text", dtype=zoned)[0] == [MOMENT]
    with pytest.raises(InputError, match=r"click.csv: time column 't' holds Datetime.* `unit: s`.*`unit: text`"):
        read([moment], "s")


def test_reasons() -> None:
    assert read(["x", "", None, "nan"], "s")[1] == [
        "time is not a number in column 't'",
        "no time in column 't'",
        "no time in column 't'",
        "time is not a number in column 't'",
    ]
    assert read(["yesterday", "2023-13-01T00:00:00Z", " "], "text")[1] == [
        *["time is not ISO 8601 in column 't'"] * 2,
        "no time in column 't'",
    ]
    assert read([0, 631_151_999], "s")[1] == ["time before 1990"] * 2


def test_a_wrong_unit_is_named() -> None:
    reasons = read([1_700_000_000_000], "s")[1] + read([1_700_000_000], "ms")[1] + read([MOMENT], "ns")[1]
    assert [likely_unit(reason) for reason in reasons] == ["ms", "s", "us"]
    assert likely_unit("time before 1990") is None


def test_a_far_future_does_not_wrap_around() -> None:
    assert read([9_000_000_000_000_000_000], "s")[0] == [9_200_000_000_000_000_000]


def test_a_column_that_cannot_hold_times_is_refused() -> None:
    with pytest.raises(InputError, match=r"click.csv: time column 't' holds Int64, but `unit: text`.*s, ms, us or ns"):
        read([5], "text")
    with pytest.raises(InputError, match=r"holds Boolean, not numbers in 's'"):
        read([True], "s")
    with pytest.raises(InputError, match=r"unknown time zone 'Vienna'; expected an IANA name"):
        read(["2026-01-01T00:00:00"], "text", "Vienna")


def test_decimals_keep_their_fractions() -> None:
    assert read([Decimal("1700000000.123456"), Decimal("1700000000")], "s")[0] == [MOMENT + 123_456, MOMENT]
