"""Logs in daily folders: the window of a run, missing and incomplete days, and what the cache sees."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from components.event_logs.fingerprint import fingerprint
from components.event_logs.plan import EventLogsPlan
from components.event_logs.spans import newest_day
from components.example_schema import EXAMPLE_ID, TIME, label_of, weight_of
from models.recipe.errors import InputError
from models.recipe.night import Cursor, Night
from models.recipe.recipe import Recipe

FIRST = datetime.date(2026, 1, 1)
MIDNIGHT = int(datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC).timestamp())
DAY, HOUR = 86_400, 3_600
Make = Callable[..., Recipe]
Run = Callable[..., SimpleNamespace]
Rows = list[dict[str, Any]]


def day_of(number: int) -> str:
    return (FIRST + datetime.timedelta(days=number)).isoformat()


def folder_of(stream: str, day: int) -> str:
    return f"{stream}/dt={day_of(day)}"


def rows_of(day: int, stream: str) -> Rows:
    """Twenty users see item 1 at 06:00; the even ones click it 20 hours later, on the next day."""
    if stream == "impression":
        return [{"user": user, "item": 1, "time": MIDNIGHT + day * DAY + 6 * HOUR} for user in range(20)]
    return [{"user": user, "item": 1, "time": MIDNIGHT + day * DAY + 2 * HOUR} for user in range(0, 20, 2)]


@pytest.fixture
def daily(write_log: Callable[..., Path]) -> Callable[..., None]:
    """Writes the days of both streams, one file each. `also` has more rows of a (stream, day)."""

    def write(days: range = range(8), also: dict[tuple[str, int], Rows] | None = None) -> None:
        for day in days:
            for stream in ("impression", "click"):
                more = (also or {}).get((stream, day), [])
                write_log(f"{folder_of(stream, day)}/part-0.csv", rows_of(day, stream) + more)

    return write


@pytest.fixture
def on_day(shop_recipe: Make) -> Make:
    """A recipe that reads four days to train and one to evaluate, up to a day."""

    def make(
        day: int | None = 6,
        *,
        limits: dict[str, Any] | None = None,
        click: dict[str, Any] | None = None,
        left_out: tuple[str, ...] = (),
    ) -> Recipe:
        paths = {name: {"path": f"{name}/dt={{YYYY}}-{{MM}}-{{DD}}/*.csv"} for name in ("impression", "click")}
        paths["click"] |= click or {}
        logs = {"span": "1d", "limits": limits or {}, "left_out": left_out} | (
            {} if day is None else {"day": day_of(day)}
        )
        return shop_recipe(
            streams=paths, logs={"streams": _streams(paths), **logs}, split={"eval_last": "1d", "train_last": "4d"}
        )

    return make


def micros_of(day: int) -> int:
    """The start of a day from 0, in microseconds."""
    return (MIDNIGHT + day * DAY) * 1_000_000


def _micros(moment: str) -> int:
    return int(datetime.datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp() * 1_000_000)


def _streams(paths: dict[str, dict[str, Any]]) -> dict[str, Any]:
    shared = {"key": ["user", "item"], "time": {"column": "time", "unit": "s"}}
    return {name: shared | changed for name, changed in paths.items()}


STRAY = {
    # Written late: the view of the day before the folder's, and one before the window.
    ("impression", 4): [
        {"user": 70, "item": 2, "time": MIDNIGHT + 3 * DAY + 23 * HOUR},
        {"user": 71, "item": 2, "time": MIDNIGHT + 1 * DAY},
    ],
    # A clock that is ahead: after the end of the day.
    ("impression", 6): [{"user": 72, "item": 2, "time": MIDNIGHT + 7 * DAY + 1}],
    ("click", 5): [{"user": 70, "item": 2, "time": MIDNIGHT + 4 * DAY + HOUR}],
}


def test_the_day_by_hand(on_day: Make, daily: Callable[..., None], run_stage: Run) -> None:
    daily(also=STRAY)
    out = run_stage(on_day())
    # Days 2 to 6 are read, 20 views each and three more; the clicks of day 2 belong to views of day 1, which is not read.
    seen, clicked = out.accounts["impression"], out.accounts["click"]
    assert (seen["read"], seen["used"], seen["after_as_of"]) == (103, 102, 1)
    assert (clicked["read"], clicked["used"], clicked["orphan"]) == (51, 41, 10)
    assert (out.summary["as_of"], out.summary["eval_from"]) == ("2026-01-08T00:00:00Z", "2026-01-07T00:00:00Z")
    assert out.summary["examples"]["eval"] == 20
    labels = {
        (row["user"][0], row["gatewise/event_time"][0] // 1_000_000): (row["label/click"][0], row["weight/click"][0])
        for row in out.examples.to_dicts()
    }
    assert labels[b"70", MIDNIGHT + 3 * DAY + 23 * HOUR] == (1, 1)
    assert labels[b"71", MIDNIGHT + 1 * DAY] == (0, 1)
    # The clicks of the last day's views are on day 7, whose files exist and are not read: the window is open, not negative.
    assert {labels[b"0", MIDNIGHT + day * DAY + 6 * HOUR] for day in range(2, 6)} == {(1, 1)}
    assert labels[b"0", MIDNIGHT + 6 * DAY + 6 * HOUR] == (0, 0)


def test_the_same_files_by_globs_and_in_other_folders(
    on_day: Make,
    daily: Callable[..., None],
    run_stage: Run,
    write_log: Callable[..., Path],
    shop_recipe: Make,
    tmp_path: Path,
) -> None:
    daily(also=STRAY)
    by_days = run_stage(on_day(), "days")
    globs = {name: {"path": f"{name}/dt=2026-01-0[3-7]/*.csv"} for name in ("impression", "click")}
    logs = {"streams": _streams(globs), "as_of": "2026-01-08T00:00:00Z"}
    by_globs = run_stage(shop_recipe(streams=globs, logs=logs, split={"eval_from": "2026-01-07T00:00:00Z"}), "globs")
    assert by_days.summary.pop("cursor") == {"until": _micros(by_days.summary["validate_from"]), "as_of": micros_of(7)}
    assert by_days.accounts == by_globs.accounts and by_days.summary == by_globs.summary
    assert by_days.examples.equals(by_globs.examples)
    # All rows of the window in two files of its first day: the folder chooses which files are read, the time does the rest.
    for stream in ("impression", "click"):
        files = [tmp_path / folder_of(stream, day) / "part-0.csv" for day in range(2, 7)]
        every = pl.concat([pl.read_csv(file) for file in files])
        for day, file in enumerate(files, 2):
            empty = file.read_text().splitlines()[0] + "\n"
            write_log(f"{folder_of(stream, day)}/part-0.csv", empty)
        write_log(f"{folder_of(stream, 2)}/b.csv", every[: len(every) // 3])
        write_log(f"{folder_of(stream, 2)}/a.csv", every[len(every) // 3 :].reverse())
    moved = run_stage(on_day(), "moved")
    moved.summary.pop("cursor")
    assert moved.accounts == by_days.accounts and moved.summary == by_days.summary
    assert moved.examples.equals(by_days.examples)


def test_a_later_as_of_closes_the_windows(on_day: Make, daily: Callable[..., None], run_stage: Run) -> None:
    daily()
    logs = on_day().logs
    assert logs is not None
    later = logs.model_copy(update={"as_of": datetime.datetime(2026, 1, 9, tzinfo=datetime.UTC)})
    out = run_stage(on_day().model_copy(update={"logs": later}))
    assert out.accounts["impression"]["read"] == 100 and out.accounts["click"]["read"] == 60
    assert out.summary["eval_from"] == "2026-01-07T00:00:00Z"
    assert out.summary["tasks"]["click"]["eval"] == {"examples": 20, "observed": 20, "positives": 10}


def test_missing_days_stop_the_run_before_it_reads(
    on_day: Make, daily: Callable[..., None], tmp_path: Path, run_stage: Run
) -> None:
    daily()
    for day in (3, 5):
        (tmp_path / folder_of("click", day) / "part-0.csv").rename(tmp_path / f"away-{day}")
    (tmp_path / folder_of("impression", 2) / "part-0.csv").write_bytes(b"\xff not read")
    told = (
        r"stream 'click' has no file of 2026-01-04, nor of 2026-01-06; the run of 2026-01-07 reads all spans from 2026-01-03 on. "
        r"For 2026-01-04, no file matches .*click/dt=2026-01-04/\*\.csv\. The nearest existing folder is .*choose another day with "
        r"--day.*`may_be_empty: true`"
    )
    with pytest.raises(InputError, match=told):
        fingerprint(on_day())
    with pytest.raises(InputError, match=told):
        run_stage(on_day())
    fingerprint(on_day(click={"may_be_empty": True}))
    assert newest_day(on_day(None), _at(8)) == day_of(7)
    with pytest.raises(
        InputError, match=r"stream 'impression': no file matches|stream 'impression' has no file of 2025-12-30"
    ):
        fingerprint(on_day(2))


def test_a_stream_that_may_be_empty(on_day: Make, daily: Callable[..., None], tmp_path: Path, run_stage: Run) -> None:
    daily()
    (tmp_path / folder_of("click", 4) / "part-0.csv").unlink()
    out = run_stage(on_day(click={"may_be_empty": True}))
    assert out.accounts["click"]["read"] == 40 and out.accounts["impression"]["used"] == 100


def test_a_file_of_two_days_is_refused(
    on_day: Make, daily: Callable[..., None], write_log: Callable[..., Path]
) -> None:
    daily()
    write_log("click/03-to-04-in-2026-01.csv", rows_of(3, "click"))
    with pytest.raises(InputError, match=r"03-to-04-in-2026-01\.csv matches .* for 2026-01-03 and for 2026-01-04"):
        fingerprint(on_day(click={"path": "click/*{DD}*{YYYY}-{MM}*.csv", "may_be_empty": True}))


def test_the_newest_complete_day(on_day: Make, daily: Callable[..., None], tmp_path: Path) -> None:
    daily()
    recipe = on_day(None)
    assert newest_day(recipe, _at(8)) == "2026-01-08"
    assert newest_day(recipe, _at(8) - datetime.timedelta(seconds=1)) == "2026-01-07"  # the last day is not over
    assert newest_day(recipe, _at(99)) == "2026-01-08"
    (tmp_path / folder_of("click", 7) / "part-0.csv").unlink()
    assert newest_day(recipe, _at(99)) == "2026-01-07"
    assert newest_day(on_day(None, click={"may_be_empty": True}), _at(99)) == "2026-01-08"
    with pytest.raises(InputError, match=r"stream 'impression': .* matches no file of a past span"):
        newest_day(recipe, _at(0))
    for day in range(7):
        (tmp_path / folder_of("click", day) / "part-0.csv").unlink()
    (tmp_path / "click" / "dt=2026-02-01").mkdir()
    (tmp_path / "click" / "dt=2026-02-01" / "x.csv").touch()
    (tmp_path / "click" / "dt=2026-02-31").mkdir()
    (tmp_path / "click" / "dt=2026-02-31" / "x.csv").touch()
    with pytest.raises(
        InputError, match=r"no span has files of every stream; the newest are: impression 2026-01-08, click 2026-02-01"
    ):
        newest_day(recipe, _at(99))


def test_what_the_cache_sees(on_day: Make, daily: Callable[..., None], write_log: Callable[..., Path]) -> None:
    daily()

    def key(day: int) -> tuple[str, str]:
        return EventLogsPlan.from_recipe(on_day(day)).model_dump_json(), fingerprint(on_day(day))

    first = key(6)
    daily(range(8, 10))
    write_log(f"{folder_of('click', 7)}/late.csv", rows_of(7, "click"))
    write_log(f"{folder_of('click', 1)}/late.csv", rows_of(1, "click"))
    assert key(6) == first
    plan, files = key(7)
    assert plan != first[0] and files != first[1]
    write_log(f"{folder_of('click', 2)}/late.csv", rows_of(2, "click"))
    assert key(6)[0] == first[0] and key(6)[1] != first[1]


def test_an_incomplete_day(
    on_day: Make, daily: Callable[..., None], write_log: Callable[..., Path], run_stage: Run
) -> None:
    daily()
    write_log(f"{folder_of('impression', 6)}/part-0.csv", rows_of(6, "impression")[:9])
    assert run_stage(on_day(), "off").accounts["impression"]["read"] == 89
    told = r"stream 'impression': 2026-01-07 has 9 rows; the median of the other spans since 2026-01-03 is 20, and .* is 0\.5\."
    with pytest.raises(InputError, match=told + " Restore"):
        run_stage(on_day(limits={"least_of_median": 0.5}), "stopped")
    warned = run_stage(on_day(limits={"least_of_median": 0.5, "missing_days": "warn"}), "warned")
    assert any("2026-01-07 has 9 rows" in warning for warning in warned.summary["warnings"])
    # 9 of 20 is not less than 0.45.
    assert run_stage(on_day(limits={"least_of_median": 0.45}), "enough").accounts["impression"]["read"] == 89


def _at(day: int) -> datetime.datetime:
    return datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(days=day)


def _night(cursor: dict[str, int] | None, *left_out: str) -> Night:
    return Night(day="", start="warm", cursor=Cursor(**cursor) if cursor else None, left_out=left_out)


def _train_labels(found: SimpleNamespace) -> dict[int, float]:
    """{example id: label} of the observed train examples; the files of a split have no others of weight 0 beside new ones."""
    train = found.splits["train"].select(EXAMPLE_ID, label_of("click"), weight_of("click")).explode(pl.all())
    observed = train.filter(pl.col(weight_of("click")) > 0)
    return dict(zip(observed[EXAMPLE_ID].to_list(), observed[label_of("click")].to_list(), strict=True))


def test_nights_learn_each_label_once(on_day: Make, daily: Callable[..., None], run_stage: Run) -> None:
    daily(range(12))
    # Clicks come 20 hours later, and their window closes after a day.
    learned: list[int] = []
    labels: dict[int, float] = {}
    cursor, nights = None, []
    for day in (5, 6, 8, 9):  # the night of day 7 did not run
        recipe = on_day(day)
        plan = EventLogsPlan.from_recipe(recipe, _night(cursor))
        found = run_stage(plan, f"night-{day}")
        nights.append(found)
        observed = _train_labels(found)
        learned += observed
        labels |= observed
        cursor = found.summary["cursor"]
    assert len(learned) == len(set(learned))
    whole = run_stage(
        on_day(9).model_copy(
            update={"split": on_day(9).split.model_copy(update={"train_last": datetime.timedelta(days=8)})}
        ),
        "whole",
    )
    assert labels == _train_labels(whole)
    assert set(labels.values()) == {0.0, 1.0}
    assert nights[0].accounts["impression"].keys().isdisjoint({"learned", "left_out"})
    for found in nights[1:]:
        assert found.accounts["impression"]["read"] < 5 * 20
        for account in found.accounts.values():
            assert account["read"] == sum(count for name, count in account.items() if name not in ("read", "other"))


def test_a_night_reads_a_night(on_day: Make, daily: Callable[..., None]) -> None:
    daily(range(8))
    recipe = on_day(6)
    cursor = {"until": micros_of(5) - 1, "as_of": micros_of(6)}
    night = _night(cursor)
    plan = EventLogsPlan.from_recipe(recipe, night)
    assert [plan.stream("impression").spans.first, plan.stream("click").spans.first] == [day_of(4), day_of(4)]  # type: ignore[union-attr]
    assert len(json.loads(fingerprint(recipe, night))) == 2 * 3
    later = _night({"until": micros_of(6), "as_of": micros_of(7)})
    assert EventLogsPlan.from_recipe(recipe, later).stream("impression").spans.first == day_of(6)  # type: ignore[union-attr]
    # A window of one day: the labels of day 5 may be open at the ancestor's as_of.
    later = _night({"until": micros_of(6), "as_of": micros_of(7) - 1})
    assert EventLogsPlan.from_recipe(recipe, later).stream("impression").spans.first == day_of(5)  # type: ignore[union-attr]
    assert EventLogsPlan.from_recipe(recipe).stream("impression").spans.first == day_of(2)  # type: ignore[union-attr]
    early = _night({"until": micros_of(0), "as_of": micros_of(1)})
    assert EventLogsPlan.from_recipe(recipe, early).stream("impression").spans.first == day_of(2)  # type: ignore[union-attr]


def test_a_day_left_out_is_learned_by_no_model(on_day: Make, daily: Callable[..., None], run_stage: Run) -> None:
    daily()
    recipe = on_day(6)
    found = run_stage(recipe, "all")
    plan = EventLogsPlan.from_recipe(recipe, _night(None, day_of(3)))
    # A recipe that always starts cold has no nights, but may leave out days, too.
    assert EventLogsPlan.from_recipe(on_day(6, left_out=(day_of(3),))).left_out == plan.left_out == (day_of(3),)
    less = run_stage(plan, "less")
    assert less.accounts["impression"]["left_out"] == 20
    assert less.accounts["impression"]["used"] == found.accounts["impression"]["used"] - 20
    assert less.accounts["click"] == found.accounts["click"]
    days = pl.concat([less.splits["train"], less.splits["validate"]])[TIME].explode()
    assert not days.is_between(micros_of(3), micros_of(4) - 1).any()


def test_beside_a_left_out_day_a_missing_day_is_a_warning(
    on_day: Make, daily: Callable[..., None], run_stage: Run
) -> None:
    """A day of wrong rows was left out: the rates beside it are not what the check takes for normal."""
    more = [
        {"user": user, "item": 1, "time": MIDNIGHT + 4 * DAY + 2 * HOUR + second}
        for user in range(20)
        for second in range(9)
    ]
    daily(also={("click", 4): more})
    recipe = on_day(6)
    left_out = EventLogsPlan.from_recipe(recipe, _night(None, day_of(4)))
    assert left_out.reads_left_out and not EventLogsPlan.from_recipe(recipe).reads_left_out
    assert not EventLogsPlan.from_recipe(recipe, _night(None, day_of(0))).reads_left_out
    run_stage(left_out, "left-out")


def test_nothing_new_is_told(on_day: Make, daily: Callable[..., None], run_stage: Run) -> None:
    daily()
    recipe = on_day(6)
    cursor = run_stage(on_day(5), "before").summary["cursor"]
    plan = EventLogsPlan.from_recipe(recipe, _night(cursor, day_of(4), day_of(5)))
    with pytest.raises(InputError, match=r"nothing is new for the train split.*Left out are 2026-01-05, 2026-01-06"):
        run_stage(plan, "nothing")


def test_outcomes_of_impressions_before_the_first_span_do_not_count_against_the_limit(
    on_day: Make, daily: Callable[..., None], run_stage: Run
) -> None:
    daily()
    recipe = on_day(6, limits={"orphans": 0.05})
    night = _night({"until": micros_of(4), "as_of": micros_of(5)})
    plan = EventLogsPlan.from_recipe(recipe, night)
    assert plan.begin == micros_of(4)
    found = run_stage(plan, "short")
    assert found.accounts["click"]["orphan"] == 10  # clicks of the day before the first span
