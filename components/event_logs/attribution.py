"""Last-touch attribution of outcomes to impressions, within one partition of keys. Pure Polars and NumPy.

    key   ----i1--------i2----o1---o2------------------o3---->  time
                         <-----window------>
          o1, o2 -> i2 (the latest impression at or before them); o3 is late; an outcome before i1 is an orphan.

An outcome is credited if 0 <= outcome_time - impression_time <= window, both limits included.

Clocks differ: an outcome may be logged shortly before its impression. Within the stream's `clock_tolerance`, such an outcome
is credited to the first later impression, with a lag of 0, but only if it would otherwise be an orphan or late. So a
tolerance never takes an outcome away from an earlier impression.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from components.event_logs.events import KEY, ROW, VALUE, label_column
from components.event_logs.plan import TaskPlan
from components.event_logs.values import is_one_of
from components.example_schema import EVENT_ID, TIME, label_of, weight_of
from models.recipe.checks.served_names import OWN

FOLLOWED, KNOWN = f"{OWN}followed", f"{OWN}known"
"""Columns of outcomes that tasks with `match: user` use: whether the outcome is in the window of such a task after some impression
of its user, and whether its user has an earlier impression at all."""
ZONE_HINT = 14 * 3600 * 1_000_000
LEADS = {
    f"orphan_before_{text}": micros
    for text, micros in (
        ("100ms", 100_000),
        ("200ms", 200_000),
        ("500ms", 500_000),
        ("1s", 1_000_000),
        ("2s", 2_000_000),
        ("5s", 5_000_000),
        ("10s", 10_000_000),
        ("30s", 30_000_000),
        ("1m", 60_000_000),
    )
}
"""{name of the count of orphans followed by an impression of their key within this time: the time, microseconds}."""
Counts = dict[str, int]


def unique_events(events: pl.DataFrame, duplicate_rows: pl.DataFrame | None = None) -> tuple[pl.DataFrame, int]:
    """(each event once, how many rows were dropped).

    Rows with the same hash of all columns are one event. `duplicate_rows` (time, row hash) are the rows that lose their event
    id to an earlier row (`later_copies`).
    """
    kept = events.unique(subset=[TIME, ROW], keep="any")
    if duplicate_rows is not None and duplicate_rows.height:
        kept = kept.join(duplicate_rows.select(TIME, ROW), on=[TIME, ROW], how="anti")
    return kept, events.height - kept.height


def later_copies(events: pl.DataFrame) -> pl.DataFrame:
    """The rows that lose their event id to an earlier row: all but the smallest (time, row hash) of each id.

    Args:
        events: rows of one stream with event id, time and row hash; all rows with the same id are in one call.
    """
    copies = events.filter(pl.col(EVENT_ID).is_duplicated() & pl.col(EVENT_ID).is_not_null())
    copies = copies.unique(subset=[EVENT_ID, TIME, ROW], keep="any").sort(EVENT_ID, TIME, ROW)
    return copies.filter(~pl.col(EVENT_ID).is_first_distinct())


def attribute(
    impressions: pl.DataFrame,
    outcomes: Mapping[str, pl.DataFrame],
    tasks: Sequence[TaskPlan],
    as_of: int,
    tolerances: Mapping[str, int] | None = None,
    begin: int | None = None,
) -> tuple[pl.DataFrame, dict[str, Counts]]:
    """Labels and weights of the impressions, and counts of the outcomes.

    label: binary 1 if an outcome is credited; regression the sum or maximum of the credited values (0 if none); with `above`
    1 if that number exceeds it. A task with a label column has the label of that column, whatever the time.
    weight: 1 if the label is observed, else 0, and then the label is 0, too. Not observed are
    - an impression with an open window, impression_time + window > as_of, even if an outcome has already happened:
      keeping the positives of open windows without their negatives, which are not known yet, would raise the rate;
    - an impression without a value in the task's label column;
    - an impression on which the task's `conditioned_on` is not observed or not positive.

    Args:
        impressions: distinct events with key, event_time, row and any other columns, which are kept. The prepared
            label columns are replaced by labels.
        outcomes: {stream: distinct events with key, event_time, row, and value if a task needs it; FOLLOWED and KNOWN if
            tasks with `match: user` use the stream}.
        tasks: the tasks; each names one of the streams or a label column.
        as_of: microseconds; the logs are complete up to this time.
        tolerances: {stream: how long before its impression an outcome may be logged, microseconds}; 0 by default.
        begin: microseconds; impressions before it may exist but were not read. None: there are none.

    Returns:
        The impressions in their order with `label/<task>` and `weight/<task>` (Float32), and per stream the counts
        "used" (credited for at least one task), "late", "orphan" (for all tasks), "known_by_user" (without an impression of their
        key, but with one of their user), "orphan_before" (orphans followed by an impression of their
        key within 14 h: a sign of different time zones), those of LEADS (the same within shorter times: a sign of clocks that
        differ), "orphan_key" (orphans with a key that has no later impression), and "orphan_at_begin" (orphans within the
        longest window of the stream after `begin`, whose impression may be before it).
    """
    times = impressions[TIME].to_numpy()
    touches = _touches(impressions)
    counts: dict[str, Counts] = {}
    labels, seen = observed_labels(impressions, tasks)
    for stream, events in outcomes.items():
        own = [task for task in tasks if task.stream == stream and task.match == "key"]
        joined = _last_touch(events, touches)
        index, lag = joined["index"].to_numpy(), joined["lag"].to_numpy()
        tolerance = (tolerances or {}).get(stream, 0)
        if tolerance and own:
            missed = (index < 0) | (lag > max(task.window for task in own))
            index, lag = _next_touch(joined, touches, missed, tolerance)
        orphan = index < 0 if own or FOLLOWED not in joined.columns else np.ones(len(index), bool)
        used, known = (
            joined[name].to_numpy() if name in joined.columns else np.zeros(len(index), bool)
            for name in (FOLLOWED, KNOWN)
        )
        used = used.copy()
        for task in own:
            credited = (index >= 0) & (lag <= task.window)
            used |= credited
            values = joined[VALUE].to_numpy()[credited] if task.reads_numbers else None
            labels[task.name] = _aggregate(index[credited], values, task, impressions.height)
        lost = orphan & ~known
        counts[stream] = {
            "used": int(used.sum()),
            "late": int((~used & ~lost).sum()),
            "orphan": int(lost.sum()),
            **_why_orphans(joined.filter(pl.Series(orphan)) if own else joined.clear(), touches),
        }
        if begin is not None:
            reach = begin + max((task.window for task in tasks if task.stream == stream), default=0)
            counts[stream]["orphan_at_begin"] = int((lost & (joined[TIME].to_numpy() <= reach)).sum())
        if own and FOLLOWED in joined.columns:
            counts[stream]["known_by_user"] = int((orphan & known).sum())
    for task in tasks:
        labels.setdefault(task.name, np.zeros(impressions.height))
    for task in tasks:
        if not task.label:
            seen[task.name] = seen.get(task.name, True) & (times + task.window <= as_of)
    kept = impressions.drop([label_column(task) for task in tasks], strict=False)
    return with_weights(kept, tasks, labels, seen), counts


def observed_labels(
    examples: pl.DataFrame, tasks: Sequence[TaskPlan]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """({task: (examples,) float64 label}, {task: (examples,) whether the example has one}) of the tasks with a label column.

    Args:
        examples: rows with the prepared label columns (`events.label_column`), or the numbers of `futures.follow_ups`.
        tasks: the tasks; those without such a column are left out.
    """
    values: dict[str, np.ndarray] = {}
    seen: dict[str, np.ndarray] = {}
    for task in tasks:
        if label_column(task) not in examples.columns:
            continue
        column = examples[label_column(task)]
        seen[task.name] = column.is_not_null().to_numpy()
        if task.positive:
            positive = column.to_frame().select(is_one_of(pl.col(column.name), task.positive).fill_null(False))
            values[task.name] = positive.to_series().to_numpy().astype(np.float64)
        else:
            numbers = column.fill_null(0.0).to_numpy().astype(np.float64)
            values[task.name] = numbers if task.above is None else is_above(numbers, task.above)
    return values, seen


def with_weights(
    examples: pl.DataFrame, tasks: Sequence[TaskPlan], labels: Mapping[str, np.ndarray], seen: Mapping[str, np.ndarray]
) -> pl.DataFrame:
    """The examples with `label/<task>` and `weight/<task>`: weight 1 if the task was `seen` and its `conditioned_on` is positive."""
    by_name = {task.name: task for task in tasks}
    weights: dict[str, np.ndarray] = {}

    def observed(task: TaskPlan) -> np.ndarray:
        if task.name not in weights:
            weight = seen[task.name]
            if task.conditioned_on is not None:
                weight = weight & observed(by_name[task.conditioned_on]) & (labels[task.conditioned_on] > 0)
            weights[task.name] = weight
        return weights[task.name]

    columns = []
    for task in tasks:
        weight = observed(task)
        columns.append(pl.Series(label_of(task.name), np.where(weight, labels[task.name], 0.0).astype(np.float32)))
        columns.append(pl.Series(weight_of(task.name), weight.astype(np.float32)))
    return examples.with_columns(columns)


def _touches(impressions: pl.DataFrame) -> pl.DataFrame:
    """(key, time, index) of one impression per key and time: the one with the largest (event id, row hash).

    Integer ids are compared as numbers and are larger than texts; a missing id is the smallest.
    """
    names = [EVENT_ID, ROW] if EVENT_ID in impressions.columns else [ROW]
    touches = impressions.select(KEY, TIME, *names).with_row_index("index")
    tied = touches.select(pl.struct(KEY, TIME).is_duplicated().alias("tied"))["tied"]
    if tied.any():
        number = [pl.col(EVENT_ID).cast(pl.Int128, strict=False)] if EVENT_ID in names else []
        last = (
            touches.filter(tied)
            .sort(*number, *names, nulls_last=False)
            .unique([KEY, TIME], keep="last", maintain_order=True)
        )
        touches = pl.concat([touches.filter(~tied), last])
    return touches.select(KEY, TIME, pl.col("index").cast(pl.Int64)).sort(TIME)


def _last_touch(events: pl.DataFrame, touches: pl.DataFrame) -> pl.DataFrame:
    """The outcomes by (time, row) with the `index` of their impression (-1: none) and the `lag` to it."""
    right = touches.with_columns(pl.col(TIME).alias("touched"))
    joined = events.sort(TIME, ROW).join_asof(right, on=TIME, by=KEY, strategy="backward", check_sortedness=False)
    return joined.with_columns(
        pl.col("index").fill_null(-1), (pl.col(TIME) - pl.col("touched")).fill_null(-1).alias("lag")
    )


def _next_touch(
    joined: pl.DataFrame, touches: pl.DataFrame, missed: np.ndarray, tolerance: int
) -> tuple[np.ndarray, np.ndarray]:
    """`index` and `lag` after crediting `missed` outcomes to the first impression within `tolerance` after them."""
    right = touches.select(KEY, TIME, pl.col("index").alias("next"))
    later = joined.select(KEY, TIME).join_asof(
        right, on=TIME, by=KEY, strategy="forward", tolerance=tolerance, check_sortedness=False
    )["next"]
    taken = missed & later.is_not_null().to_numpy()
    index = np.where(taken, later.fill_null(-1).to_numpy(), joined["index"].to_numpy())
    return index, np.where(taken, 0, joined["lag"].to_numpy())


def _aggregate(index: np.ndarray, values: np.ndarray | None, task: TaskPlan, size: int) -> np.ndarray:
    if values is None:
        return (np.bincount(index, minlength=size) > 0).astype(np.float64)
    if task.aggregate == "sum":  # in the order of (time, row), so the sum is bit-identical in every run
        numbers = np.bincount(index, weights=values, minlength=size).astype(np.float64)
    else:
        numbers = np.full(size, -np.inf)
        np.maximum.at(numbers, index, values)
        numbers = np.where(np.isneginf(numbers), 0.0, numbers)
    return numbers if task.above is None else is_above(numbers, task.above)


def is_above(numbers: np.ndarray, above: float) -> np.ndarray:
    """1.0 where a number exceeds `above`, else 0.0. As labels are stored in 32 bits, and values read so, both are rounded to them."""
    return (numbers.astype(np.float32) > np.float32(above)).astype(np.float64)


def _why_orphans(orphans: pl.DataFrame, touches: pl.DataFrame) -> Counts:
    if not orphans.height:
        return {"orphan_before": 0, "orphan_key": 0}
    left = orphans.select(KEY, TIME)
    right = touches.select(KEY, TIME, pl.col(TIME).alias("next"))
    later = left.join_asof(right, on=TIME, by=KEY, strategy="forward", check_sortedness=False)
    lead = later["next"] - later[TIME]
    return {
        "orphan_before": int((lead <= ZONE_HINT).sum()),
        "orphan_key": int(lead.is_null().sum()),
        **{name: count for name, soon in LEADS.items() if (count := int((lead <= soon).sum()))},
    }
