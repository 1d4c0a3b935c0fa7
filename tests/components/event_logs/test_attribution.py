"""Last touch by hand, and against an obvious reference in plain Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.event_logs.attribution import FOLLOWED, KNOWN, attribute, is_above, later_copies, unique_events
from components.event_logs.blocks import Block
from components.event_logs.column_plan import ColumnPlan, TimePlan
from components.event_logs.events import KEY, ROW, VALUE, Wanted, prepare
from components.event_logs.identity import row_hashes
from components.event_logs.plan import StreamPlan, TaskPlan
from components.example_schema import EVENT_ID, TIME

CLICK = TaskPlan(name="click", kind="binary", stream="click", window=10)


def impressions(*rows: tuple[str, int]) -> pl.DataFrame:
    return pl.DataFrame(
        {KEY: [key for key, _ in rows], TIME: [time for _, time in rows], ROW: range(100, 100 + len(rows))},
        schema={KEY: pl.String, TIME: pl.Int64, ROW: pl.UInt64},
    )


def outcomes(*rows: tuple[Any, ...]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            KEY: [row[0] for row in rows],
            TIME: [row[1] for row in rows],
            VALUE: [float(row[2]) if len(row) > 2 else 0.0 for row in rows],
            ROW: range(len(rows)),
        },
        schema={KEY: pl.String, TIME: pl.Int64, VALUE: pl.Float64, ROW: pl.UInt64},
    )


def labels(frame: pl.DataFrame, task: str) -> list[tuple[float, float]]:
    return list(zip(frame[f"label/{task}"].to_list(), frame[f"weight/{task}"].to_list(), strict=True))


def test_the_latest_impression_at_or_before_an_outcome_gets_it() -> None:
    made, counts = attribute(
        impressions(("a", 0), ("a", 5), ("b", 5)), {"click": outcomes(("a", 5), ("a", 7))}, [CLICK], 99
    )
    assert labels(made, "click") == [(0, 1), (1, 1), (0, 1)]
    assert counts["click"] == {"used": 2, "late": 0, "orphan": 0, "orphan_before": 0, "orphan_key": 0}


@pytest.mark.parametrize(("time", "label", "late"), [(10, 1, 0), (11, 0, 1)])
def test_the_window_includes_its_end(time: int, label: int, late: int) -> None:
    made, counts = attribute(impressions(("a", 0)), {"click": outcomes(("a", time))}, [CLICK], 99)
    assert labels(made, "click") == [(label, 1)]
    assert counts["click"]["late"] == late


def test_a_late_outcome_does_not_fall_back_to_an_older_impression_nor_to_another_key() -> None:
    long = CLICK.model_copy(update={"window": 3})
    made, counts = attribute(impressions(("a", 0), ("a", 1), ("b", 4)), {"click": outcomes(("a", 5))}, [long], 99)
    assert labels(made, "click") == [(0, 1)] * 3
    assert counts["click"]["late"] == 1


def test_an_outcome_in_one_tasks_window_is_used_though_late_for_another() -> None:
    short = TaskPlan(name="soon", kind="binary", stream="click", window=2)
    made, counts = attribute(impressions(("a", 0)), {"click": outcomes(("a", 5))}, [short, CLICK], 99)
    assert (labels(made, "soon"), labels(made, "click")) == ([(0, 1)], [(1, 1)])
    assert (counts["click"]["used"], counts["click"]["late"]) == (1, 0)


def test_orphans_tell_whether_an_impression_follows() -> None:
    hour = 3_600_000_000
    seen = impressions(("a", 20 * hour), ("b", 20 * hour))
    done = outcomes(("a", 6 * hour), ("a", 6 * hour - 1), ("b", 19 * hour), ("c", 0))
    _, counts = attribute(seen, {"click": done}, [CLICK], 99 * hour)
    assert counts["click"] == {"used": 0, "late": 0, "orphan": 4, "orphan_before": 2, "orphan_key": 1}


@pytest.mark.parametrize(
    ("seen", "time", "expected"),
    [
        ([4], 3, ([1], "used")),  # logged before its impression, by the tolerance
        ([4], 2, ([0], "orphan")),  # and by more
        ([0, 4], 3, ([1, 0], "used")),  # an earlier impression has it in its window
        ([0, 40], 39, ([0, 1], "used")),  # it would be late
        ([0, 40], 38, ([0, 0], "late")),
        ([0, 40], 10, ([1, 0], "used")),
        ([4, 4], 3, ([0, 1], "used")),  # of two at one moment the one that is touched without a tolerance, too
    ],
)
def test_an_outcome_within_the_clock_tolerance_before_an_impression(
    seen: list[int], time: int, expected: tuple[list[int], str]
) -> None:
    made, counts = attribute(
        impressions(*(("a", at) for at in seen)), {"click": outcomes(("a", time))}, [CLICK], 99, {"click": 1}
    )
    assert made["label/click"].to_list() == expected[0]
    assert counts["click"][expected[1]] == 1 and sum(counts["click"][what] for what in ("used", "late", "orphan")) == 1


def test_orphans_tell_how_soon_an_impression_follows() -> None:
    seen = impressions(("a", 90_000_000))
    done = outcomes(*(("a", 90_000_000 - lead) for lead in (150_000, 200_000, 8_000_000, 61_000_000)))
    counts = attribute(seen, {"click": done}, [CLICK], 99)[1]["click"]
    assert {name: count for name, count in counts.items() if name.startswith("orphan_before_")} == {
        **dict.fromkeys((f"orphan_before_{lead}" for lead in ("200ms", "500ms", "1s", "2s", "5s")), 2),
        **dict.fromkeys((f"orphan_before_{lead}" for lead in ("10s", "30s", "1m")), 3),
    }


def test_a_window_still_open_at_as_of_has_no_weight_even_if_positive() -> None:
    made, _ = attribute(impressions(("a", 10), ("b", 11)), {"click": outcomes(("a", 12), ("b", 12))}, [CLICK], 20)
    assert labels(made, "click") == [(1, 1), (0, 0)]


def test_given_masks_along_the_chain() -> None:
    tasks = [
        TaskPlan(name="spend", kind="regression", stream="buy", window=10, conditioned_on="buy"),
        TaskPlan(name="buy", kind="binary", stream="buy", window=10, conditioned_on="click"),
        TaskPlan(name="click", kind="binary", stream="click", window=5),
    ]
    seen = impressions(("a", 0), ("b", 0), ("c", 0), ("d", 0))
    done = {
        "click": outcomes(("a", 1), ("b", 1), ("d", 6)),
        "buy": outcomes(("a", 2, 3), ("a", 3, 4.5), ("c", 2, 9), ("d", 8, 9)),
    }
    made, counts = attribute(seen, done, tasks, 99)
    assert labels(made, "click") == [(1, 1), (1, 1), (0, 1), (0, 1)]
    assert labels(made, "buy") == [(1, 1), (0, 1), (0, 0), (0, 0)]
    assert labels(made, "spend") == [(7.5, 1), (0, 0), (0, 0), (0, 0)]
    assert (counts["click"]["late"], counts["buy"]["used"]) == (1, 4)


def test_regression_takes_the_sum_or_the_largest_and_zero_without_outcome() -> None:
    tasks = [TaskPlan(name=how, kind="regression", stream="buy", window=10, aggregate=how) for how in ("sum", "max")]
    made, _ = attribute(impressions(("a", 0), ("b", 0)), {"buy": outcomes(("a", 1, -3), ("a", 1, -2))}, tasks, 99)
    assert labels(made, "sum") == [(-5, 1), (0, 1)]
    assert labels(made, "max") == [(-2, 1), (0, 1)]


@pytest.mark.parametrize(
    ("above", "aggregate", "expected"),
    [
        (4.0, "sum", [1, 0, 0]),
        (5.0, "sum", [0, 0, 0]),
        (4.0, "max", [0, 0, 0]),
        (2.5, "max", [1, 0, 0]),
        # Without an outcome the number is 0.
        (-0.5, "sum", [1, 1, 1]),
        (0.0, "sum", [1, 0, 1]),
    ],
)
def test_above_compares_the_number_of_a_regression(above: float, aggregate: Any, expected: list[int]) -> None:
    task = TaskPlan(name="big", kind="binary", stream="buy", window=10, above=above, aggregate=aggregate)
    seen, done = impressions(("a", 0), ("b", 0), ("c", 0)), outcomes(("a", 1, 2), ("a", 2, 3), ("c", 1, 0.25))
    made, _ = attribute(seen, {"buy": done}, [task], 99)
    assert labels(made, "big") == [(label, 1) for label in expected]


def test_a_value_read_in_32_bits_is_not_above_itself() -> None:
    read = np.array([30.1, 30.2], np.float32).astype(np.float64)
    assert read[0] > 30.1 and is_above(read, 30.1).tolist() == [0.0, 1.0]


def test_an_outcome_that_only_the_user_explains_is_no_orphan() -> None:
    """Used by key, used by user, too late by user, an orphan. Orphans by key are still told apart."""
    done = outcomes(("a", 5), ("z", 5), ("z", 6), ("z", 7)).with_columns(
        pl.Series(FOLLOWED, [False, True, False, False]), pl.Series(KNOWN, [False, True, True, False])
    )
    made, counts = attribute(impressions(("a", 0), ("b", 0)), {"click": done}, [CLICK], 99)
    assert labels(made, "click") == [(1, 1), (0, 1)]
    expected = {"used": 2, "late": 1, "orphan": 1, "orphan_before": 0, "orphan_key": 3, "known_by_user": 2}
    assert counts["click"] == expected


def test_of_impressions_at_one_moment_the_largest_event_id_then_row_hash_is_touched() -> None:
    seen = impressions(("a", 0), ("a", 0), ("a", 0)).with_columns(pl.Series(EVENT_ID, ["y", "z", None]))
    made, _ = attribute(seen, {"click": outcomes(("a", 1))}, [CLICK], 99)
    assert made["label/click"].to_list() == [0, 1, 0]
    made, _ = attribute(seen.drop(EVENT_ID), {"click": outcomes(("a", 1))}, [CLICK], 99)
    assert made["label/click"].to_list() == [0, 0, 1]


def test_of_one_event_id_the_earliest_row_is_kept_whatever_its_key() -> None:
    rows = {EVENT_ID: ["e", "e", "e", "f", None, None], TIME: [5, 3, 3, 1, 1, 1], ROW: [1, 9, 8, 7, 6, 5]}
    events = pl.DataFrame(rows, schema={EVENT_ID: pl.String, TIME: pl.Int64, ROW: pl.UInt64})
    duplicate_rows = later_copies(events)
    assert sorted(duplicate_rows[ROW]) == [1, 9]
    kept, duplicates = unique_events(pl.concat([events, events[:1], events[3:4]]), duplicate_rows)
    assert sorted(kept[ROW]) == [5, 6, 7, 8]
    assert duplicates == 4


# ---- against a reference ----------------------------------------------------------------------------------------

SECOND = 1_000_000
BASE = 1_700_000_000
AS_OF = (BASE + 16) * SECOND
TASKS = [
    TaskPlan(name="spend", kind="regression", stream="buy", window=6 * SECOND, conditioned_on="buy"),
    TaskPlan(name="click", kind="binary", stream="click", window=3 * SECOND),
    TaskPlan(name="soon", kind="binary", stream="click", window=1 * SECOND),
    TaskPlan(name="buy", kind="binary", stream="buy", window=6 * SECOND, conditioned_on="click"),
    TaskPlan(name="top", kind="regression", stream="buy", window=4 * SECOND, aggregate="max"),
    TaskPlan(name="big", kind="binary", stream="buy", window=4 * SECOND, above=2.0),
    TaskPlan(name="top_big", kind="binary", stream="buy", window=4 * SECOND, above=-1.0, aggregate="max"),
]
STREAMS = {
    name: StreamPlan(
        name=name,
        path="-",
        key=("user", "item"),
        time=TimePlan(column="time", unit="s"),
        event_id="id" if name != "click" else None,
        value="value" if name == "buy" else None,
    )
    for name in ("seen", "click", "buy")
}
FEATURE = ColumnPlan(name="value", type="int")
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "user": st.sampled_from(["u", "u", "v", "v", "1", None]),
            "item": st.sampled_from(["1", "1", "1", "2"]),
            "time": st.sampled_from([*(str(BASE + second) for second in range(18)), "5", "soon", None]),
            "id": st.sampled_from([None, None, "a", "b", "c", "d", "e"]),
            "value": st.sampled_from(["1", "2", "2", "-3", "0.5", "x", None]),
        }
    ),
    max_size=14,
)


def reference(
    log: dict[str, list[dict[str, Any]]], tolerance: int
) -> tuple[dict[str, dict[str, int]], dict[int, dict[str, Any]]]:
    """Books by stream and, by row hash, the labels and weights: loops over rows, nothing clever."""
    accounts, kept = {}, {}
    for stream, rows in log.items():
        good = []
        for row in rows:
            time = int(row["time"]) * SECOND if row["time"] and row["time"].isdigit() else None
            wrong = row["user"] is None or time is None or not 631_152_000 * SECOND <= time <= AS_OF
            wrong |= stream == "buy" and row["value"] in (None, "x")
            wrong |= stream == "seen" and row["value"] in ("x", "0.5")
            if not wrong:
                good.append(row | {"time": time, "key": (row["user"], row["item"])})
        events: dict[Any, dict[str, Any]] = {}
        for row in sorted(good, key=lambda row: (row["time"], row["hash"])):
            name = ("id", row["id"]) if row["id"] and STREAMS[stream].event_id else ("row", row["hash"])
            events.setdefault(name, row)
        kept[stream] = list(events.values())
        accounts[stream] = {"dead": len(rows) - len(good), "duplicate": len(good) - len(events), "used": len(events)}
    labels: dict[int, dict[str, Any]] = {row["hash"]: {} for row in kept["seen"]}
    credited: dict[tuple[int, str], list[float]] = {}
    for stream in ("click", "buy"):
        accounts[stream] |= {"used": 0, "late": 0, "orphan": 0}
        for event in kept[stream]:
            before = [row for row in kept["seen"] if row["key"] == event["key"] and row["time"] <= event["time"]]
            own = [t for t in TASKS if t.stream == stream]
            touch = max(before, key=lambda row: (row["time"], row["id"] or "", row["hash"]), default=None)
            tasks = [t for t in own if touch and event["time"] - touch["time"] <= t.window]
            soon = [
                row
                for row in kept["seen"]
                if row["key"] == event["key"] and 0 < row["time"] - event["time"] <= tolerance and stream == "click"
            ]
            if not tasks and soon:
                first = min(row["time"] for row in soon)
                touch = max(
                    (row for row in soon if row["time"] == first), key=lambda row: (row["id"] or "", row["hash"])
                )
                tasks = own
            if touch is None:
                accounts[stream]["orphan"] += 1
                continue
            accounts[stream]["used" if tasks else "late"] += 1
            for task in tasks:
                value = float(event["value"]) if stream == "buy" else 1.0
                credited.setdefault((touch["hash"], task.name), []).append(value)
    for row in kept["seen"]:

        def label(task: TaskPlan, row: dict[str, Any] = row) -> tuple[float, float]:
            values = credited.get((row["hash"], task.name), [])
            if row["time"] + task.window > AS_OF:
                return 0.0, 0.0
            if task.conditioned_on and label(next(t for t in TASKS if t.name == task.conditioned_on))[0] != 1.0:
                return 0.0, 0.0
            number = sum(values) if task.aggregate == "sum" else max(values, default=0.0)
            if task.kind == "binary":
                return float(bool(values) if task.above is None else number > task.above), 1.0
            return number, 1.0

        labels[row["hash"]] = {task.name: label(task) for task in TASKS}
    return accounts, labels


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(seen=ROWS, click=ROWS, buy=ROWS, tolerance=st.sampled_from([0, SECOND, 2 * SECOND]))
def test_equals_the_reference(
    seen: list[dict[str, Any]], click: list[dict[str, Any]], buy: list[dict[str, Any]], tolerance: int
) -> None:
    log = {"seen": seen, "click": click, "buy": buy}
    events, accounts = {}, {}
    for name, rows in log.items():
        frame = pl.DataFrame(rows, schema=dict.fromkeys(("user", "item", "time", "id", "value"), pl.String))
        hashes = row_hashes(frame)
        log[name] = [row | {"hash": number} for row, number in zip(rows, hashes.to_list(), strict=True)]
        block = Block(frame, np.arange(frame.height), tuple(frame.columns))
        wanted = [Wanted("value", FEATURE)] if name == "seen" else []
        prepared = prepare(block, hashes, STREAMS[name], wanted, AS_OF, "log")
        duplicate_rows = later_copies(prepared.events) if STREAMS[name].event_id else None
        events[name], duplicates = unique_events(prepared.events, duplicate_rows)
        accounts[name] = {"dead": prepared.dead.height, "duplicate": duplicates}
    done = {"click": events["click"], "buy": events["buy"]}
    made, counts = attribute(events["seen"], done, TASKS, AS_OF, {"click": tolerance})
    accounts["seen"]["used"] = made.height
    for name, count in counts.items():
        accounts[name] |= {what: count[what] for what in ("used", "late", "orphan")}
    expected_accounts, expected = reference(log, tolerance)
    assert accounts == expected_accounts
    got = {
        row[ROW]: {task.name: (row[f"label/{task.name}"], row[f"weight/{task.name}"]) for task in TASKS}
        for row in made.to_dicts()
    }
    assert got == expected


@pytest.mark.parametrize(
    ("ids", "largest"),
    [
        (["9", "10", "2"], 1),
        (["-9", "-10"], 0),
        ([str(2**100), str(2**64)], 0),
        (["b", "a", "9"], 2),
        (["b9", "b10"], 0),
        ([None, "a"], 1),
        (["7", "007"], 0),
    ],
)
def test_of_ids_at_one_moment_numbers_are_compared_as_numbers(ids: list[str | None], largest: int) -> None:
    for order in (ids, ids[::-1]):
        seen = impressions(*[("a", 0)] * len(ids)).with_columns(pl.Series(EVENT_ID, order, pl.String))
        made, _ = attribute(seen, {"click": outcomes(("a", 5))}, [CLICK], 99)
        clicked = made.filter(pl.col("label/click") > 0)[EVENT_ID].to_list()
        assert clicked == [ids[largest]]
