"""Labels of what a user does after an impression, by hand and against obvious loops."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.event_logs.attribution import FOLLOWED, KNOWN
from components.event_logs.events import ROW, USER, VALUE
from components.event_logs.futures import follow_ups, followed
from components.event_logs.plan import EventLogsPlan, TaskPlan
from components.example_schema import TIME
from models.recipe.errors import InputError
from models.recipe.recipe import Recipe

START = 1_700_000_000
HOUR = 3600
Event = tuple[str, int, float]
EVENTS = st.lists(
    st.tuples(st.sampled_from("uvw"), st.integers(0, 12), st.sampled_from([1.0, 2.0, -3.0, 0.5])), max_size=20
)


def frame(events: list[Event]) -> pl.DataFrame:
    columns = {name: [event[i] for event in events] for i, name in enumerate((USER, TIME, VALUE))}
    schema = {USER: pl.String, TIME: pl.Int64, VALUE: pl.Float64}
    return pl.DataFrame(columns, schema=schema).with_columns(pl.int_range(pl.len(), dtype=pl.UInt64).alias(ROW))


def task(**changes: Any) -> TaskPlan:
    return TaskPlan(**{"name": "t", "kind": "binary", "stream": "buy", "window": 5, "match": "user", **changes})


def test_by_hand() -> None:
    """An event at the impression's own time is no future; one at the end of the window is; every impression before it has it."""
    seen = frame([("u", 0, 0), ("u", 3, 0), ("u", 8, 0), ("v", 0, 0), ("w", 0, 0)])
    events = frame([("u", 3, 2), ("u", 5, 7), ("u", 13, 1), ("v", 6, 9)])
    assert follow_ups(seen, events, task()).tolist() == [1, 1, 1, 0, 0]
    assert follow_ups(seen, events, task(kind="regression")).tolist() == [9, 7, 1, 0, 0]
    assert follow_ups(seen, events, task(kind="regression", aggregate="max")).tolist() == [7, 7, 1, 0, 0]
    told = followed(events, seen, 5).sort(ROW)
    assert told[FOLLOWED].to_list() == [True, True, True, False] and told[KNOWN].to_list() == [True] * 4
    assert followed(events, seen.filter(pl.col(USER) == "v"), 5).sort(ROW)[KNOWN].to_list() == [False] * 3 + [True]


@settings(max_examples=150, deadline=None)
@given(seen=EVENTS, events=EVENTS, window=st.integers(0, 9), aggregate=st.sampled_from(["sum", "max"]))
def test_equals_loops(seen: list[Event], events: list[Event], window: int, aggregate: Any) -> None:
    future = [[v for who, at, v in events if who == user and time < at <= time + window] for user, time, _ in seen]
    binary, number = task(window=window), task(window=window, kind="regression", aggregate=aggregate)
    assert follow_ups(frame(seen), frame(events), binary).tolist() == [float(bool(values)) for values in future]
    numbers = [sum(values) if aggregate == "sum" else max(values, default=0.0) for values in future]
    assert follow_ups(frame(seen), frame(events), number).tolist() == numbers
    before = [[at - time for who, time, _ in seen if who == user and time < at] for user, at, _ in events]
    told = followed(frame(events), frame(seen), window).sort(ROW)
    assert told[KNOWN].to_list() == [bool(lags) for lags in before]
    assert told[FOLLOWED].to_list() == [any(lag <= window for lag in lags) for lags in before]


AUXILIARY = {"role": "auxiliary", "match": "user", "unmeasured": "allow"}
TASKS: dict[str, dict[str, Any]] = {
    "click": {"kind": "binary", "outcome": "click", "window": "2h", "unmeasured": "allow"},
    "again": {"kind": "binary", "outcome": "impression", "window": "6h", **AUXILIARY},
    "clicks_on": {"kind": "binary", "outcome": "click", "window": "5h", **AUXILIARY},
    "spend": {"kind": "regression", "outcome": "buy", "window": "8h", **AUXILIARY},
    "largest": {"kind": "regression", "outcome": "buy", "window": "4h", "aggregate": "max", **AUXILIARY},
    "spends": {"kind": "binary", "outcome": "buy", "window": "8h", "above": 0.5, **AUXILIARY},
    "after_click": {"kind": "regression", "outcome": "buy", "window": "3h", "conditioned_on": "click", **AUXILIARY},
}
END = 90


def random_logs(seed: int) -> dict[str, list[dict[str, Any]]]:
    """Accounts are not users: the partition of a user differs from that of a key. Some rows have none, some are copies."""
    rng = random.Random(seed)
    logs: dict[str, list[dict[str, Any]]] = {}
    for name, count in (("impression", 60), ("click", 40), ("buy", 90)):
        logs[name] = [
            {
                "id": f"{name}{n}",
                "user": rng.choice("ab"),
                "item": rng.randrange(2),
                "account": rng.choice(["p", "q", "r", "only_" + name, None]),
                "time": START + rng.randrange(100) * HOUR,
                "value": rng.choice([1.0, 2.0, -3.0, 0.5]),
            }
            for n in range(count)
        ]
        logs[name] += [
            row | {"time": row["time"] + 5, "account": rng.choice("pqr"), "value": 9.0}
            for row in rng.sample(logs[name], 8)
        ]
        logs[name] += rng.sample(logs[name], 5)
    return logs


def reference(logs: dict[str, list[dict[str, Any]]]) -> tuple[dict[str, Any], dict[str, dict[str, int]]]:
    """Labels and weights by event id and task, and the accounts: loops over rows, nothing clever."""
    as_of = START + END * HOUR
    kept: dict[str, list[dict[str, Any]]] = {}
    for name, rows in logs.items():
        first: dict[str, dict[str, Any]] = {}
        for row in sorted((row for row in rows if row["time"] <= as_of), key=lambda row: row["time"]):
            first.setdefault(row["id"], row)
        kept[name] = list(first.values())
    seen = kept["impression"]
    credit: dict[tuple[str, str], list[float]] = {(row["id"], name): [] for row in seen for name in TASKS}
    used: dict[str, set[str]] = {name: set() for name in logs}
    known: dict[str, set[str]] = {name: set() for name in logs}
    for name, about in TASKS.items():
        window = int(about["window"][:-1]) * HOUR
        for event in kept[about["outcome"]]:
            if name == "click":
                before = [
                    r
                    for r in seen
                    if (r["user"], r["item"]) == (event["user"], event["item"]) and r["time"] <= event["time"]
                ]
                latest = max((r["time"] for r in before), default=0)
                # Of impressions at one moment, the one with the largest id.
                touched = [max((r for r in before if r["time"] == latest), key=lambda r: r["id"])] if before else []
            else:
                before = touched = [
                    r for r in seen if r["account"] == event["account"] is not None and r["time"] < event["time"]
                ]
            if before:
                known[about["outcome"]].add(event["id"])
            for row in touched:
                if event["time"] - row["time"] <= window:
                    credit[row["id"], name].append(event["value"])
                    used[about["outcome"]].add(event["id"])

    def label(row: dict[str, Any], name: str) -> tuple[float, float]:
        about, values = TASKS[name], credit[row["id"], name]
        if row["time"] + int(about["window"][:-1]) * HOUR > as_of or (name != "click" and row["account"] is None):
            return 0.0, 0.0
        if "conditioned_on" in about and label(row, about["conditioned_on"])[0] == 0:
            return 0.0, 0.0
        number = max(values, default=0.0) if about.get("aggregate") == "max" else sum(values)
        if about["kind"] == "binary":
            return float(number > about["above"] if "above" in about else bool(values)), 1.0
        return number, 1.0

    accounts = {}
    for name, rows in logs.items():
        late = known[name] - used[name]
        early = sum(row["time"] <= as_of for row in rows)
        counts = {"used": len(used[name]), "late": len(late), "orphan": len(kept[name]) - len(used[name]) - len(late)}
        counts = {"used": len(seen), "late": 0, "orphan": 0} if name == "impression" else counts
        counts |= {"read": len(rows), "after_as_of": len(rows) - early, "duplicate": early - len(kept[name])}
        accounts[name] = counts | {"gap": 0, "dead_lettered": 0, "other": 0}
    return {row["id"]: {name: label(row, name) for name in TASKS} for row in seen}, accounts


@pytest.fixture
def future_recipe(shop_recipe: Callable[..., Recipe]) -> Recipe:
    streams = {name: {"user": ["account"], "event_id": "id"} for name in ("impression", "click")}
    # Only tasks with `match: user` read it, so its key may be any.
    buy = {"path": "buy*.*", "key": ["account"], "user": ["account"], "event_id": "id", "value": "value"}
    streams = {name: about | {"path": f"{name}*.*"} for name, about in streams.items()} | {"buy": buy}
    logs = {"as_of": END_MOMENT, "limits": {"orphans": 1.0, "missing_days": "warn", "dead_letters": 0.9}}
    return shop_recipe(streams=streams, tasks=TASKS, logs=logs, split={"eval_fraction": 0.2})


END_MOMENT = "2023-11-18T16:13:20Z"


@pytest.mark.parametrize("seed", [1, 2])
def test_the_stage_equals_loops(
    seed: int,
    future_recipe: Recipe,
    write_log: Callable[..., Path],
    run_stage: Callable[..., SimpleNamespace],
    tmp_path: Path,
) -> None:
    logs = random_logs(seed)
    # A purchase without an account has no key here either.
    logs["buy"] = [row for row in logs["buy"] if row["account"]]
    labels, accounts = reference(logs)
    rng = random.Random(seed)
    for files, partitions in ((1, 1), (2, 3)):
        for old in tmp_path.glob("*.*"):
            old.unlink()
        for name, rows in logs.items():
            mixed = rng.sample(rows, len(rows))
            for number in range(files):
                write_log(f"{name}{number}.parquet", mixed[number::files])
        plan = EventLogsPlan.from_recipe(future_recipe).model_copy(update={"partitions": partitions})
        out = run_stage(plan, f"{partitions}")
        got = {
            row["gatewise/event_id"][0].decode(): {
                name: (row[f"label/{name}"][0], row[f"weight/{name}"][0]) for name in TASKS
            }
            for row in out.examples.to_dicts()
        }
        assert got == labels
        assert out.accounts == accounts
    for name in TASKS:
        assert {weight for found in labels.values() for weight in [found[name][1]]} == {0.0, 1.0}


def test_a_user_column_that_never_matches_is_refused(
    shop_recipe: Callable[..., Recipe],
    shop_log: Callable[..., None],
    write_log: Callable[..., Path],
    run_stage: Callable,
) -> None:
    shop_log()
    write_log("search.parquet", [{"who": f"x{n}", "time": START + n * 86_400 + 10} for n in range(10)])
    streams = {"impression": {"user": ["user"]}, "search": {"key": ["who"], "user": ["who"]}}
    tasks = {"click": TASKS["click"], "searches": {"kind": "binary", "outcome": "search", "window": "1h", **AUXILIARY}}
    with pytest.raises(InputError) as error:
        run_stage(shop_recipe(streams=streams, tasks=tasks))
    assert "stream 'search': 10 of 10 outcomes (100.0%) have no earlier impression" in str(error.value)
    assert "Does `user` (who) have the same meaning and order as in 'impression' (user)?" in str(error.value)


def test_a_key_that_never_matches_is_refused_though_the_users_match(
    shop_recipe: Callable[..., Recipe],
    shop_log: Callable[..., None],
    write_log: Callable[..., Path],
    run_stage: Callable,
) -> None:
    shop_log()
    write_log("click.parquet", [{"user": n, "item": 9, "time": START + n * 86_400 + 10} for n in range(10)])
    streams = {name: {"user": ["user"]} for name in ("impression", "click")}
    tasks = {"click": TASKS["click"], "clicks_on": TASKS["clicks_on"]}
    with pytest.raises(InputError, match="stream 'click': 10 of 10 outcomes .100.0%. have no earlier impression"):
        run_stage(shop_recipe(streams=streams, tasks=tasks))
