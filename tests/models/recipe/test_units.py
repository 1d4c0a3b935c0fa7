from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.recipe.units import format_duration, parse_duration, parse_moment


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("12h", 43200), ("7d", 604800), ("2w", 1209600)]
)
def test_duration(text: str, seconds: int) -> None:
    assert parse_duration(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "7", "7 days", "-1d", "0d", "1.5h", 30, None])
def test_wrong_duration(text: object) -> None:
    with pytest.raises(ValueError, match="expected a whole number and a unit"):
        parse_duration(text)


def test_beyond_all_time() -> None:
    with pytest.raises(ValueError, match="less than three million years"):
        parse_duration("99999999999999999d")
    with pytest.raises(ValueError, match="years 1 to 9999"):
        parse_moment("9999-12-31T23:59:59-12:00")


@given(st.integers(min_value=1, max_value=10**9))
def test_duration_is_written_as_it_is_read(seconds: int) -> None:
    value = datetime.timedelta(seconds=seconds)
    assert parse_duration(format_duration(value)) == value


def test_moment_is_in_utc() -> None:
    assert parse_moment("2026-01-15T01:00:00+02:00") == datetime.datetime(2026, 1, 14, 23, tzinfo=datetime.UTC)
    assert parse_moment("2026-01-15T01:00:00Z").hour == 1


@pytest.mark.parametrize("text", ["2026-01-15", "2026-01-15T00:00:00", "tomorrow", 5])
def test_wrong_moment(text: object) -> None:
    with pytest.raises(ValueError, match="offset from UTC"):
        parse_moment(text)
