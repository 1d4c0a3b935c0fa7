"""Times of every unit, by hand."""

from __future__ import annotations

import datetime
from decimal import Decimal

import polars as pl
import pytest

from components.event_logs.column_plan import TimePlan
from components.event_logs.times import NAIVE, likely_unit, micros
from models.recipe.errors import InputError

MOMENT = 1_700_000_000_000_000  # 2023-11-14T22:13:20Z


def read(
    values: list, unit: str, zone: str | None = None, dtype: pl.DataType | None = None, format: str | None = None
) -> tuple[list, list]:
    column = pl.Series("t", values, dtype=dtype)
    times, reasons = micros(column, TimePlan(column="t", unit=unit, zone=zone, format=format), "click.csv")
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
        ("2023-11-14 22:13:20 UTC", "text"),
        ("2023-11-14 22:13:20.000 utc", "text"),
        ("2023-11-14T22:13:20z", "text"),
        ("2023-11-14 22:13:20+00", "text"),
        ("2023-11-14 22:13:20 +0000", "text"),
        ("2023-11-15 12:13:20+14:00", "text"),
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
    assert reasons[:2] == ["local time that Europe/Vienna skips or repeats"] * 2
    assert read(texts[:1], "text")[1] == [NAIVE]


def test_parquet_timestamps() -> None:
    moment = datetime.datetime(2023, 11, 14, 22, 13, 20)
    assert read([moment, None], "text", "UTC")[0] == [MOMENT, None]
    assert read([moment], "text")[1] == [NAIVE]
    assert read([moment], "text", "America/Caracas")[0] == [MOMENT + 4 * 3600 * 1_000_000]
    zoned = pl.Datetime("ms", "Europe/Vienna")
    assert read([moment.replace(tzinfo=datetime.UTC)], "text", dtype=zoned)[0] == [MOMENT]
    with pytest.raises(InputError, match=r"click.csv: time column 't' has type Datetime.* `unit: s`.*`unit: text`"):
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


def test_an_offset_that_no_clock_has() -> None:
    reason = "impossible offset from UTC in time column 't'"
    texts = [f"2023-11-14 22:13:20{offset}" for offset in ("+25:00", "-2500", "+14:01", "+99", "+05:60")]
    assert read(texts, "text") == ([None] * 5, [reason] * 5)
    assert read(texts, "text", "Europe/Vienna") == ([None] * 5, [reason] * 5)


def test_a_truth_value_is_no_time() -> None:
    assert read(["true"], "s")[1] == ["time is not a number in column 't'"]
    assert read(["true"], "text")[1] == ["time is not ISO 8601 in column 't'"]


@pytest.mark.parametrize(
    ("text", "format", "zone"),
    [
        ("14.11.2023 22:13:20", "%d.%m.%Y %H:%M:%S", "UTC"),
        ("14.11.2023 23:13:20", "%d.%m.%Y %H:%M:%S", "Europe/Vienna"),
        (" 14/Nov/2023:23:13:20 +0100 ", "%d/%b/%Y:%H:%M:%S %z", None),
        ("11/14/23 10:13:20 PM", "%m/%d/%y %I:%M:%S %p", "UTC"),
        ("20231114T221320.000000", "%Y%m%dT%H%M%S%.f", "UTC"),
    ],
)
def test_a_format_of_ones_own(text: str, format: str, zone: str | None) -> None:
    assert read([text], "text", zone, format=format) == ([MOMENT], [None])
    wrong = f"time does not match `format` {format!r} in column 't'"
    assert read(["2023-11-14T22:13:20Z", None, ""], "text", zone, format=format)[1] == [
        wrong,
        *["no time in column 't'"] * 2,
    ]


def test_a_format_without_an_offset_needs_a_zone() -> None:
    assert read(["14.11.2023"], "text", format="%d.%m.%Y")[1] == [NAIVE]
    assert read(["14.11.2023"], "text", "UTC", format="%d.%m.%Y")[0] == [
        MOMENT - (22 * 3600 + 13 * 60 + 20) * 1_000_000
    ]


def test_a_wrong_unit_is_named() -> None:
    reasons = read([1_700_000_000_000], "s")[1] + read([1_700_000_000], "ms")[1] + read([MOMENT], "ns")[1]
    assert [likely_unit(reason) for reason in reasons] == ["ms", "s", "us"]
    assert likely_unit("time before 1990") is None


def test_a_far_future_does_not_wrap_around() -> None:
    assert read([9_000_000_000_000_000_000], "s")[0] == [9_200_000_000_000_000_000]


def test_a_column_that_cannot_hold_times_is_refused() -> None:
    with pytest.raises(
        InputError, match=r"click.csv: time column 't' has type Int64, but `unit: text`.*s, ms, us or ns"
    ):
        read([5], "text")
    with pytest.raises(InputError, match=r"has type Boolean; expected numbers in 's'"):
        read([True], "s")
    with pytest.raises(InputError, match=r"unknown time zone 'Vienna'; expected an IANA name"):
        read(["2026-01-01T00:00:00"], "text", "Vienna")


def test_decimals_keep_their_fractions() -> None:
    assert read([Decimal("1700000000.123456"), Decimal("1700000000")], "s")[0] == [MOMENT + 123_456, MOMENT]
