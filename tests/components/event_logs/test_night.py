"""What nights learn: each label once, as a slow reference says, for random windows, splits, pauses and left-out days."""

from __future__ import annotations

import datetime
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from components.event_logs.accounts import cursor_of
from components.event_logs.attribution import attribute
from components.event_logs.events import KEY, ROW
from components.event_logs.night import LEARNED, LEFT_OUT, closings, lost, of_night
from components.event_logs.plan import TaskPlan
from components.event_logs.split_plan import SplitPlan
from components.event_logs.splits import GAP, Starts, splits_by_time, starts_from
from components.event_logs.writing import unweighted
from components.example_schema import SPLITS, TIME, TRAIN, label_of, weight_of
from models.recipe.night import Cursor

DAY = 24 * 3600 * 1_000_000
TRAINS = SPLITS.index(TRAIN)


def _task(name: str, **about: Any) -> TaskPlan:
    return TaskPlan(name=name, kind="binary", stream=about.pop("stream", name), **about)


def _plan(tasks: list[TaskPlan], cursor: Cursor | None, left_out: tuple[str, ...] = ()) -> Any:
    return SimpleNamespace(tasks=tasks, cursor=cursor, left_out=left_out)


def _events(times: list[int]) -> pl.DataFrame:
    rows = np.arange(len(times), dtype=np.uint64)
    return pl.DataFrame(
        {KEY: ["k"] * len(times), TIME: np.array(times, np.int64), ROW: rows},
        schema={KEY: pl.String, TIME: pl.Int64, ROW: pl.UInt64},
    )


def test_a_label_is_known_once_the_windows_of_its_conditions_have_closed() -> None:
    tasks = [
        _task("click", window=5),
        _task("order", window=2, conditioned_on="click"),
        _task("value", window=9, conditioned_on="order"),
        TaskPlan(name="rating", kind="regression", label="stars"),
    ]
    assert closings(tasks) == {"click": 5, "order": 5, "value": 9, "rating": 0}


def test_by_hand() -> None:
    tasks = [_task("click", window=2), _task("order", window=10)]
    labels = pl.DataFrame(
        {
            TIME: [1, 5, 9, 11, 12],
            label_of("click"): np.array([1, 1, 0, 1, 1], np.float32),
            weight_of("click"): np.array([1, 1, 1, 1, 1], np.float32),
            label_of("order"): np.array([1, 0, 0, 0, 0], np.float32),
            weight_of("order"): np.array([1, 1, 0, 0, 0], np.float32),  # as_of is 17: windows until 7 have closed
        }
    )
    # The ancestor saw impressions before 11 and knew labels until 11: clicks until 9, the order of 1.
    found, chosen = of_night(labels, np.array([0, 0, 0, 0, 1], np.uint8), _plan(tasks, Cursor(until=11, as_of=11)))
    assert chosen.tolist() == [LEARNED, 0, LEARNED, 0, 1]
    assert found[weight_of("click")].to_list() == [0, 0, 0, 1, 1]
    assert found[weight_of("order")].to_list() == [0, 1, 0, 0, 0]
    assert found[label_of("click")].to_list() == [0, 0, 0, 1, 1]
    assert lost(chosen) == {"gap": 0, "learned": 2, "left_out": 0}


def test_without_a_night_nothing_changes() -> None:
    labels, chosen = pl.DataFrame({TIME: [1]}), np.array([GAP], np.uint8)
    same = of_night(labels, chosen, _plan([_task("click", window=2)], None))
    assert same[0] is labels and same[1] is chosen


def test_a_label_of_weight_0_is_told_once() -> None:
    labels = pl.DataFrame(
        {
            TIME: [1, 12],
            label_of("click"): np.zeros(2, np.float32),
            weight_of("click"): np.zeros(2, np.float32),
            unweighted("click"): [True, True],
        }
    )
    found, _ = of_night(labels, np.zeros(2, np.uint8), _plan([_task("click", window=2)], Cursor(until=11, as_of=11)))
    assert found[unweighted("click")].to_list() == [False, True]


def test_the_share_of_the_validate_split_is_one_of_what_is_new() -> None:
    times, moments = np.arange(100), SplitPlan(eval_from=90, validate_fraction=0.5)
    plan = SimpleNamespace(
        streams=[SimpleNamespace(time=object())], split=moments, published=lambda split: False, cursor=None, left_out=()
    )
    assert starts_from([times, 100], plan) == Starts(45, 90)  # type: ignore[arg-type]
    plan.cursor = Cursor(until=70, as_of=80)
    assert starts_from([times, 100], plan) == Starts(80, 90)  # type: ignore[arg-type]
    # Of a day that is left out, no example validates.
    start = int(datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC).timestamp() * 1e6)
    days = np.array([start - 4, start - 3, start - 2, start - 1, start, start + 1, start + DAY])
    plan.split = SplitPlan(eval_from=start + DAY, validate_fraction=0.5)
    plan.cursor, plan.left_out = Cursor(until=start - 4, as_of=start), ("2026-01-02",)
    assert starts_from([days, 100], plan) == Starts(start - 2, start + DAY)  # type: ignore[arg-type]


def test_days_and_hours_are_left_out_of_train_and_validate() -> None:
    start = int(datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC).timestamp() * 1e6)
    times = [start - 1, start, start + DAY - 1, start + DAY, start + 3 * DAY, start + 3 * DAY + DAY // 24]
    labels = pl.DataFrame({TIME: times})
    _, chosen = of_night(
        labels, np.array([0, 0, 1, 1, 0, 0], np.uint8), _plan([], None, ("2026-01-02", "2026-01-05T00"))
    )
    assert chosen.tolist() == [0, LEFT_OUT, LEFT_OUT, 1, LEFT_OUT, 0]
    _, chosen = of_night(labels, np.full(6, 2, np.uint8), _plan([], None, ("2026-01-02",)))
    assert chosen.tolist() == [2] * 6


@settings(max_examples=150)
@given(st.data())
def test_each_label_is_learned_once(data: st.DataObject) -> None:
    windows = data.draw(st.tuples(*[st.integers(1, 40)] * 3))
    tasks = [
        _task("a", window=windows[0]),
        _task("b", window=windows[1], conditioned_on=data.draw(st.sampled_from([None, "a"]))),
        _task("c", window=windows[2], stream="a"),
    ]
    moments = st.lists(st.integers(0, 100), max_size=25)
    seen = sorted(data.draw(st.lists(st.integers(0, 100), min_size=1, max_size=25)))
    outcomes = {name: sorted(data.draw(moments)) for name in ("a", "b")}
    eval_last, validate_last = data.draw(st.integers(1, 20)), data.draw(st.integers(1, 15))
    gap = data.draw(st.integers(0, 9))
    ends = sorted(data.draw(st.sets(st.integers(20, 140), min_size=1, max_size=6)))
    longest = max(closings(tasks).values())

    def night(end: int, cursor: Cursor | None) -> tuple[pl.DataFrame, np.ndarray, Cursor]:
        begin = 0 if cursor is None else max(0, min(cursor.until, cursor.as_of - longest))
        impressions = _events([time for time in seen if begin <= time <= end])
        events = {name: _events([time for time in times if begin <= time <= end]) for name, times in outcomes.items()}
        labels, _ = attribute(impressions, events, tasks, end)
        starts = Starts(end - eval_last - validate_last, end - eval_last)
        chosen = splits_by_time(labels[TIME].to_numpy(), starts, gap)
        made, chosen = of_night(labels, chosen, _plan(tasks, cursor))
        plan = SimpleNamespace(split=SimpleNamespace(gap=gap))
        return made, chosen, Cursor(**cursor_of(plan, end, starts))  # type: ignore[arg-type]

    found: dict[tuple[str, int], list[float]] = {}
    cursor = None
    for end in ends:
        labels, chosen, cursor = night(end, cursor)
        train = labels.filter(pl.Series(chosen == TRAINS))
        for task in tasks:
            observed = train.filter(pl.col(weight_of(task.name)) > 0)
            # Impressions of one key and time are alike but for the credited one: compare the sums of their labels.
            for (time,), rows in observed.group_by(TIME):
                found.setdefault((task.name, int(time)), []).append(float(rows[label_of(task.name)].sum()))
    labels, chosen, _ = night(ends[-1], None)
    train = labels.filter(pl.Series(chosen == TRAINS))
    expected = {
        (task.name, int(time)): [float(rows[label_of(task.name)].sum())]
        for task in tasks
        for (time,), rows in train.filter(pl.col(weight_of(task.name)) > 0).group_by(TIME)
    }
    assert found == expected
