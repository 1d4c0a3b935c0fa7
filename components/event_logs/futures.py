"""What a user does after an impression, whatever the item: labels within one partition of users. Pure Polars and NumPy.

    user  ----i1----o1----i2----o2----o3--------->  time
               <---------window-------->             o1, o2 and o3 are in the window of i1
                           <---------window-------->  o2 and o3 in that of i2

An outcome counts for every impression of its user with impression_time < outcome_time <= impression_time + window, not only for
the last one. The outcomes of a user are sorted by time, so those of an impression are a range of positions [low, high), which two
joins by time find. A sum is a difference of cumulative sums, a maximum one of two overlapping ranges of a power of two.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import polars as pl

from components.event_logs import shuffle
from components.event_logs.attribution import FOLLOWED, KNOWN, unique_events
from components.event_logs.events import ROW, USER, VALUE, label_column
from components.event_logs.partitions import HOME, grouped
from components.event_logs.plan import EventLogsPlan, TaskPlan
from components.event_logs.shuffle import Reference, Rows
from components.example_schema import TIME


def follow_ups_of(references: Iterable[Reference], plan: EventLogsPlan) -> Iterator[Rows]:
    """The labels' numbers of one partition of users (role "future"), and what became of the outcomes (role "followed").

    Both go to the partitions of the events' keys.

    Args:
        references: the users' events and duplicates of all streams with `user`.
        plan: plan of the stage.
    """
    found = grouped(references)
    events: dict[str, pl.DataFrame] = {}
    for stream in plan.streams:
        rows = shuffle.read(found.get(("user", stream.name), ()))
        if rows is not None:
            lost = shuffle.read(found.get(("user_duplicate", stream.name), ()))
            events[stream.name] = unique_events(rows, lost)[0]
    impressions = str(plan.impressions)
    if impressions not in events:
        return
    seen = events[impressions]
    labels = seen.select(TIME, ROW, HOME)
    for name in dict.fromkeys(str(task.stream) for task in plan.user_tasks):
        own = [task for task in plan.user_tasks if task.stream == name]
        numbers = [follow_ups(seen, events[name], task) if name in events else np.zeros(seen.height) for task in own]
        columns = [pl.Series(label_column(task), held) for task, held in zip(own, numbers, strict=True)]
        labels = labels.with_columns(columns)
        if name in events and name != impressions:
            told = followed(events[name], seen, max(task.window for task in own))
            yield Rows(told.select(TIME, ROW, FOLLOWED, KNOWN), told[HOME].to_numpy(), "followed", name)
    yield Rows(labels.drop(HOME), labels[HOME].to_numpy(), "future", impressions)


def follow_ups(seen: pl.DataFrame, events: pl.DataFrame, task: TaskPlan) -> np.ndarray:
    """(impressions,) float64: whether there is an event in the window, or the sum or maximum of their values (0 if none).

    Args:
        seen: distinct impressions with user, event_time.
        events: distinct events of the task's stream with user, event_time, row, and value if the task needs it.
        task: task with the window, microseconds, and the aggregate.
    """
    events = events.sort(USER, TIME, ROW)
    first, low = _passed(seen, events, 0)
    _, high = _passed(seen, events, task.window)
    some = high > low
    if not task.reads_numbers:
        return some.astype(np.float64)
    numbers = np.zeros(seen.height)
    low, last, values = low[some], high[some] - 1, events[VALUE].to_numpy()
    if task.aggregate == "max":
        numbers[some] = _largest(values, low, last)
        return numbers
    sums = events.select(pl.col(VALUE).cum_sum().over(USER))[VALUE].to_numpy()
    numbers[some] = sums[last] - np.where(low > first[some], sums[low - 1], 0.0)
    return numbers


def followed(events: pl.DataFrame, seen: pl.DataFrame, window: int) -> pl.DataFrame:
    """The events with FOLLOWED, whether an impression of their user is in the window before them, and KNOWN, whether any is before."""
    right = seen.select(USER, TIME, pl.col(TIME).alias("seen")).sort(TIME)
    joined = events.sort(TIME).join_asof(
        right, on=TIME, by=USER, strategy="backward", allow_exact_matches=False, check_sortedness=False
    )
    near = (pl.col(TIME) - pl.col("seen") <= window).fill_null(False)
    return joined.with_columns(near.alias(FOLLOWED), pl.col("seen").is_not_null().alias(KNOWN))


def _passed(seen: pl.DataFrame, events: pl.DataFrame, after: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions in the sorted events: (first event of the user, first event later than impression_time + after); 0, 0 without events.

    If no event of the user is at or before that time, both are the same.
    """
    places = pl.int_range(pl.len(), dtype=pl.Int64)
    places_of = events.select(USER, TIME, (places + 1).alias("next"))
    firsts = events.select(USER, places.alias("first")).unique(USER, keep="first", maintain_order=True)
    left = seen.select(USER, pl.col(TIME) + after, places.alias("order")).sort(TIME)
    joined = left.join_asof(
        places_of.sort(TIME, "next"), on=TIME, by=USER, strategy="backward", check_sortedness=False
    ).join(firsts, on=USER, how="left")
    joined = joined.sort("order").select(pl.col("first").fill_null(0), "next")
    return joined["first"].to_numpy(), joined.select(pl.coalesce("next", "first"))["next"].to_numpy()


def _largest(values: np.ndarray, low: np.ndarray, last: np.ndarray) -> np.ndarray:
    """max(values[low .. last]) of each pair, from the maxima of the ranges of 1, 2, 4, ... values."""
    powers = np.frexp(last - low + 1)[1] - 1
    largest, ranges = np.empty(len(low)), values
    for power in range(int(powers.max(initial=-1)) + 1):
        if power:
            half = 1 << (power - 1)
            ranges = np.maximum(ranges[:-half], ranges[half:])
        own = powers == power
        largest[own] = np.maximum(ranges[low[own]], ranges[last[own] - (1 << power) + 1])
    return largest
