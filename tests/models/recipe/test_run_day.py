"""The day of a run on a cluster: as it is given, as Kubeflow replaces a macro, and as it does not."""

from __future__ import annotations

import pytest

from models.recipe.errors import InputError
from models.recipe.run_day import SCHEDULED, day_of_run, parse_run_day

UNKNOWN = "{{$.pipeline_job_schedule_time_utc}}"


@pytest.mark.parametrize(
    ("day", "scheduled", "hours", "expected"),
    [
        ("2026-11-28", UNKNOWN, 24, "2026-11-28"),
        ("2026-11-28T05", UNKNOWN, 1, "2026-11-28T05"),
        ("latest", UNKNOWN, 24, "latest"),
        # A moment: the newest span that ended at it or before.
        ("2026-11-29T03:00:00Z", UNKNOWN, 24, "2026-11-28"),
        ("2026-11-29T00:00:00Z", UNKNOWN, 24, "2026-11-28"),
        ("2026-11-28T23:59:59Z", UNKNOWN, 24, "2026-11-27"),
        ("2026-11-29T01:00:00+02:00", UNKNOWN, 24, "2026-11-27"),
        ("2026-11-29T03:20:00Z", UNKNOWN, 1, "2026-11-29T02"),
        ("2026-11-29T00:20:00Z", UNKNOWN, 1, "2026-11-28T23"),
        ("20261129030000", UNKNOWN, 24, "2026-11-28"),
        # A macro that Kubeflow has left as it is.
        (SCHEDULED, "2026-11-29T03:00:00Z", 24, "2026-11-28"),
        ("[[ScheduledTime.2006-01-02T15:04:05Z]]", "2026-11-29T03:00:00.123Z", 24, "2026-11-28"),
    ],
)
def test_the_day(day: str, scheduled: str, hours: int, expected: str) -> None:
    assert day_of_run(day, scheduled, hours) == expected


@pytest.mark.parametrize(
    ("day", "scheduled", "hours", "message"),
    [
        (SCHEDULED, UNKNOWN, 24, "has not replaced by a moment"),
        (SCHEDULED, "1970-01-01T00:00:00Z", 24, "has not replaced by a moment"),
        ("2026-11-28", UNKNOWN, 1, "expected an hour"),
        ("2026-11-28T05", UNKNOWN, 24, "expected a day"),
        ("yesterday", UNKNOWN, 24, "expected [[ScheduledTime]]"),
        ("2026-02-30", UNKNOWN, 24, "expected [[ScheduledTime]]"),
        ("[[CurrentTime]]", UNKNOWN, 24, "has not replaced"),
    ],
)
def test_a_day_that_cannot_be_told(day: str, scheduled: str, hours: int, message: str) -> None:
    with pytest.raises(InputError, match="parameter day: .*") as error:
        day_of_run(day, scheduled, hours)
    assert message in str(error.value)


@pytest.mark.parametrize("macro", ["[[CurrentTime]]", "[[ScheduledTime.2006-01-02]]", "[[Index]]"])
def test_macros_that_name_no_day_that_has_ended_are_refused(macro: str) -> None:
    with pytest.raises(ValueError, match="has not ended"):
        parse_run_day(macro)
