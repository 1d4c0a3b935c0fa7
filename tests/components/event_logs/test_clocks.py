"""The stage on logs whose clocks differ, whose streams end at different times, or from which a day is gone."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from components.event_logs.plan import EventLogsPlan
from components.example_schema import SPLITS
from models.recipe.errors import InputError
from models.recipe.recipe import Recipe

DAY, HOUR = 86_400, 3600
START = 1_767_571_200  # 2026-01-05T00:00:00Z, a Monday
Make = Callable[..., Recipe]
Write = Callable[..., Path]
Run = Callable[..., SimpleNamespace]


def refused(run: Run, recipe: Recipe) -> str:
    with pytest.raises(InputError) as error:
        run(recipe)
    return str(error.value)


def shop(days: float = 10, per_hour: int = 10) -> dict[str, list[dict[str, Any]]]:
    """An impression every few minutes, and a click half a minute after each third."""
    seen = [
        {"user": n % 7, "item": n, "time": START + n * HOUR // per_hour, "price": n % 5}
        for n in range(int(days * 24 * per_hour))
    ]
    return {"impression": seen, "click": [row | {"time": row["time"] + 30} for row in seen[::3]]}


def write_all(write: Write, logs: dict[str, list[dict[str, Any]]], ending: str = "parquet") -> None:
    for name, rows in logs.items():
        write(f"{name}.{ending}", rows)


# ---- as_of ------------------------------------------------------------------------------------------------------


def test_latest_is_the_end_of_the_stream_that_ends_first(shop_recipe: Make, write_log: Write, run_stage: Run) -> None:
    logs = shop(2)
    ended = START + 36 * HOUR
    logs["click"] = [row for row in logs["click"] if row["time"] <= ended]
    logs["unused"] = logs["click"][:5]
    write_all(write_log, logs)
    out = run_stage(shop_recipe(streams={"unused": {}}, split={"eval_fraction": 0.9}))
    last = max(row["time"] for row in logs["click"])
    assert out.summary["as_of"] == out.summary["watermarks"]["click"] == "2026-01-06T11:42:30Z"
    assert out.summary["watermarks"]["impression"] == "2026-01-06T23:54:00Z"
    closed = sum(row["time"] + DAY <= last for row in logs["impression"])
    assert sum(out.summary["tasks"]["click"][split]["observed"] for split in SPLITS) == closed
    # Impressions after it stay examples.
    assert out.examples.height == len(logs["impression"])
    (warning,) = out.summary["warnings"]
    assert warning.startswith("stream 'click' ends at 2026-01-06T11:42:30Z, 12 hours before the impressions.")


def test_a_stream_that_has_ended_long_ago_is_named(shop_recipe: Make, write_log: Write, run_stage: Run) -> None:
    logs = shop(10)
    logs["click"] = [row for row in logs["click"] if row["time"] < START + 2 * DAY]
    write_all(write_log, logs)
    split = {"split": {"eval_fraction": 0.9}}
    short = {"tasks": {"click": {"kind": "binary", "outcome": "click", "window": "1h"}}} | split
    (warning,) = run_stage(shop_recipe(**short)).summary["warnings"]
    assert warning == (
        "stream 'click' ends at 2026-01-06T23:42:30Z, 8.0 days before the impressions. So `as_of: latest` is that time, "
        "and about 1,920 later impressions get weight 0. Are files of 'click' missing? "
        "If not, set logs.as_of to the time up to which the logs are complete."
    )
    long = {"tasks": {"click": {"kind": "binary", "outcome": "click", "window": "9d"}}} | split
    message = refused(run_stage, shop_recipe(**long))
    assert (
        "`as_of: latest` is 2026-01-06T23:42:30Z, the end of stream 'click', which ends first of the streams that tasks use."
        in message
    )
    # The eval split begins after `as_of`.
    message = refused(run_stage, shop_recipe(**short | {"split": {"eval_fraction": 0.2}}))
    assert "which begins at 2026-01-13T00:00:00Z, 6 days, 0:17:30 after." in message


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_a_clock_ahead_is_refused_by_name(shop_recipe: Make, write_log: Write, run_stage: Run, ending: str) -> None:
    logs = shop(2)
    logs["click"].insert(10, logs["click"][10] | {"time": START + 7 * DAY})
    write_all(write_log, logs, ending)
    assert refused(run_stage, shop_recipe()) == (
        f"stream 'click': click.{ending}, row 10: its time is 2026-01-12T00:00:00Z, 5.0 days after the previous row of the "
        "stream. Its clock is ahead. Remove the row, or set logs.as_of to the time up to which the logs are complete: later "
        "rows are counted apart."
    )
    out = run_stage(shop_recipe(logs={"as_of": "2026-01-07T00:00:00Z"}))
    assert out.accounts["click"]["after_as_of"] == 1 and out.summary["watermarks"]["click"] == "2026-01-06T23:42:30Z"


def test_labelled_examples_from_a_clock_ahead(write_log: Write, run_stage: Run, tmp_path: Path) -> None:
    rows = [{"user": n, "label": n % 2, "time": START + n * HOUR} for n in range(60)]
    write_log("examples.csv", [*rows, rows[0] | {"time": START + 60 * DAY}])
    fields = {
        "name": "labelled",
        "data": str(tmp_path),
        "examples": {"path": "examples.csv", "time": {"column": "time", "unit": "s"}},
        "features": {"user": {"kind": "categorical"}},
        "tasks": {"liked": {"kind": "binary", "label": {"column": "label"}}},
    }
    assert run_stage(Recipe.model_validate(fields | {"split": {"eval_fraction": 0.2}})).summary["as_of"] is not None
    message = refused(run_stage, Recipe.model_validate(fields | {"split": {"eval_last": "1d"}}))
    assert message.startswith(
        "stream 'examples': examples.csv, row 60: its time is 2026-03-06T00:00:00Z, 57.5 days after"
    )
    assert message.endswith("Remove the row: `split.eval_last` counts back from the latest time.")


@pytest.mark.parametrize("seed", [1, 2])
def test_an_as_of_in_the_past_is_as_if_the_logs_had_ended_there(
    shop_recipe: Make, write_log: Write, run_stage: Run, seed: int
) -> None:
    rng = random.Random(seed)
    end = START + 5 * DAY
    logs = {
        name: [
            {
                "id": rng.choice([None, f"{rng.randrange(150)}"]),
                "user": rng.choice(["a", "b", "c", None]),
                "item": rng.randrange(4),
                "time": rng.choice([end, end + 1, *[START + rng.randrange(9 * DAY)] * 20]),
                "price": rng.choice(["1", "2.5", "x"]),
            }
            for _ in range(300)
        ]
        for name in ("impression", "click")
    }
    recipe = shop_recipe(
        streams={name: {"event_id": "id"} for name in logs} | {"click": {"event_id": "id", "clock_tolerance": "2h"}},
        logs={"as_of": "2026-01-10T00:00:00Z", "limits": {"dead_letters": 1.0, "orphans": 1.0, "missing_days": "warn"}},
        features={"price": {"kind": "numeric"}},
    )
    plan = EventLogsPlan.from_recipe(recipe).model_copy(update={"partitions": 3})
    write_all(write_log, logs, "csv")
    later = run_stage(plan, "later")
    write_all(write_log, {name: [row for row in rows if row["time"] <= end] for name, rows in logs.items()}, "csv")
    ended = run_stage(plan, "ended")
    assert later.summary == ended.summary and later.examples.equals(ended.examples)
    assert later.splits["eval"].equals(ended.splits["eval"])
    assert (later.folder / "days.json").read_text() == (ended.folder / "days.json").read_text()
    for name, account in later.accounts.items():
        after = sum(row["time"] > end for row in logs[name])
        assert account == ended.accounts[name] | {"read": 300, "after_as_of": after} and after > 0
    assert (
        later.dead.select("reason", "stream", "raw")
        .sort("raw")
        .equals(ended.dead.select("reason", "stream", "raw").sort("raw"))
    )


def test_rows_after_as_of_are_no_dead_letters(shop_recipe: Make, write_log: Write, run_stage: Run) -> None:
    write_all(write_log, shop(10))
    out = run_stage(shop_recipe(logs={"as_of": "2026-01-07T00:00:00Z", "limits": {"dead_letters": 0.0}}))
    expected = dict(
        read=2400, used=481, duplicate=0, orphan=0, late=0, after_as_of=1919, gap=0, dead_lettered=0, other=0
    )
    assert out.accounts["impression"] == expected and out.dead.height == 0
    logs = shop(10)
    write_all(write_log, logs | {"click": [*logs["click"], logs["click"][0] | {"time": 4_102_444_800}]})
    out = run_stage(shop_recipe(logs={"as_of": "2026-01-07T00:00:00Z"}))
    assert out.dead["reason"].to_list() == ["time in the future"], "2100 is no time of an event"
    assert refused(run_stage, shop_recipe(logs={"as_of": "2026-01-04T00:00:00Z"})) == (
        "stream 'impression': all 2,400 rows are later than logs.as_of (2026-01-04T00:00:00Z). Set a later `as_of`, "
        "or check `time`."
    )


# ---- missing days -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("as_of", ["latest", "2026-01-15T00:00:00Z"])
def test_a_day_without_clicks(shop_recipe: Make, write_log: Write, run_stage: Run, as_of: str) -> None:
    logs = shop(10)
    gone = range(START + 4 * DAY, START + 5 * DAY)
    logs["click"] = [row for row in logs["click"] if row["time"] not in gone]
    write_all(write_log, logs)
    message = refused(run_stage, shop_recipe(logs={"as_of": as_of}))
    assert message == (
        "stream 'click': 2026-01-09 has 0 rows to 240 of impression; about 80 are expected. Nearest days, click to "
        "impression: 2026-01-06: 80 to 240, 2026-01-07: 80 to 240, 2026-01-08: 80 to 240, 2026-01-10: 80 to 240, 2026-01-11: "
        "80 to 240, 2026-01-12: 80 to 240. Missing outcomes would become negative labels. Restore the "
        "files of that time. If nothing is missing, set `limits: {missing_days: warn}` under `logs` "
        "(`limits.least_of_day` defines a missing day)."
    )
    # With more validate examples than those of the day without clicks.
    longer = {"eval_fraction": 0.5, "validate_fraction": 0.3}
    warned = run_stage(shop_recipe(logs={"as_of": as_of, "limits": {"missing_days": "warn"}}, split=longer))
    assert warned.summary["warnings"] == [message.partition(" Restore")[0]]
    days = json.loads((warned.folder / "days.json").read_text())
    assert "2026-01-09" not in days["rows"]["click"] and days["rows"]["impression"]["2026-01-09"] == 240


def test_days_without_clicks_are_all_named(shop_recipe: Make, write_log: Write, run_stage: Run) -> None:
    logs = shop(40)
    gone = {START // DAY + day for day in range(8, 36, 2)}
    logs["click"] = [row for row in logs["click"] if row["time"] // DAY not in gone]
    write_all(write_log, logs)
    message = refused(run_stage, shop_recipe())
    for words in (
        "2026-01-13 has 0 rows to 240",
        "The same holds for 2026-01-15, 2026-01-17, ",
        " 2026-02-02 and 3 more.",
    ):
        assert words in message, message


@pytest.mark.parametrize(("hours", "warned"), [(10, False), (14, True)])
def test_half_a_day_of_clicks_at_the_end(
    shop_recipe: Make, write_log: Write, run_stage: Run, hours: int, warned: bool
) -> None:
    logs = shop(3)
    logs["click"] = [row for row in logs["click"] if row["time"] < START + 3 * DAY - hours * HOUR]
    write_all(write_log, logs)
    warnings = run_stage(shop_recipe(split={"eval_fraction": 0.8})).summary["warnings"]
    assert ["ends at 2026-01-07T09:" in warning and "13 hours before" in warning for warning in warnings] == [
        True
    ] * warned


def test_a_day_without_impressions(shop_recipe: Make, write_log: Write, run_stage: Run) -> None:
    logs = shop(10)
    gone = range(START + 4 * DAY, START + 5 * DAY)
    logs["impression"] = [row for row in logs["impression"] if row["time"] not in gone]
    write_all(write_log, logs)
    message = refused(run_stage, shop_recipe())
    assert message.startswith("stream 'impression': 2026-01-09 has 0 rows to 80 of click; about 240 are expected.")
    assert "Outcomes of that time are credited to older impressions or become orphans." in message


# ---- clocks that differ -----------------------------------------------------------------------------------------


def test_clicks_a_moment_before_their_impressions(shop_recipe: Make, write_log: Write, run_stage: Run) -> None:
    logs = shop(3)
    logs["click"] = [row | {"time": row["time"] - 30.2 * (n % 4 == 0)} for n, row in enumerate(logs["click"])]
    write_all(write_log, logs)
    out = run_stage(shop_recipe())
    assert out.accounts["click"]["orphan"] == 60
    assert out.summary["warnings"] == [
        "stream 'click': 60 of 240 outcomes are orphans that come less than a minute before an impression of their key, half "
        "of them by 200ms or less. If the clocks differ, set `clock_tolerance: 1s` in the stream to "
        "attribute them to that impression."
    ]
    out = run_stage(shop_recipe(streams={"click": {"clock_tolerance": "1s"}}))
    assert (
        out.accounts["click"]["orphan"] == 0 and out.accounts["click"]["used"] == 240 and out.summary["warnings"] == []
    )
    credited = out.examples.filter(pl.col("label/click").list.first() > 0).height
    closed = [row for row in logs["impression"][::3] if row["time"] + DAY <= logs["click"][-1]["time"]]
    assert credited == len(closed)


def test_all_clicks_a_moment_early_are_refused_with_the_tolerance(
    shop_recipe: Make, write_log: Write, run_stage: Run
) -> None:
    logs = shop(3)
    logs["click"] = [row | {"time": row["time"] - 30.2} for row in logs["click"]]
    write_all(write_log, logs)
    message = refused(run_stage, shop_recipe())
    assert "240 of them come less than a minute before" in message and "set `clock_tolerance: 1s` in the" in message
    assert run_stage(shop_recipe(streams={"click": {"clock_tolerance": "1s"}})).accounts["click"]["used"] == 240


def test_clocks_in_two_zones_below_the_limit(shop_recipe: Make, write_log: Write, run_stage: Run) -> None:
    logs = shop(3)
    logs["click"] = [row | {"time": row["time"] - 7200 * (n % 4 == 0)} for n, row in enumerate(logs["click"])]
    write_all(write_log, logs)
    (warning,) = run_stage(shop_recipe()).summary["warnings"]
    assert re.match("stream 'click': 60 of 240 outcomes are orphans that come up to 14 h before an impression", warning)
