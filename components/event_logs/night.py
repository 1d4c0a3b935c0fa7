"""What a night learns: the examples of its train split that its ancestor has not learned from.

impressions |--- learned ---|------- new -------|- validate -|- eval -|
                      cursor.until
            |---- labels that have closed since the ancestor: learned now, the others get weight 0
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from components.event_logs.moments import ranges_of
from components.event_logs.plan import EventLogsPlan, TaskPlan
from components.event_logs.splits import GAP
from components.event_logs.writing import unweighted
from components.example_schema import SPLITS, TIME, TRAIN, VALIDATE, label_of, weight_of

LEARNED, LEFT_OUT = GAP + 1, GAP + 2
"""Numbers of the examples that are in no split, as GAP is: nothing in them is new; their day is left out."""
LOST = {GAP: "gap", LEARNED: "learned", LEFT_OUT: "left_out"}
"""Number of examples in no split -> their entry in the row accounting."""


def closings(tasks: Sequence[TaskPlan]) -> dict[str, int]:
    """{task: microseconds after the impression at which its label is known}: the longest window of it and the tasks that it is
    conditioned on. A label that is a column of the impression is known at once."""
    by_name = {task.name: task for task in tasks}

    def closing(task: TaskPlan) -> int:
        own = 0 if task.label else task.window
        return own if task.conditioned_on is None else max(own, closing(by_name[task.conditioned_on]))

    return {task.name: closing(task) for task in tasks}


def of_night(
    labels: pl.DataFrame, chosen: NDArray[np.uint8], plan: EventLogsPlan
) -> tuple[pl.DataFrame, NDArray[np.uint8]]:
    """The examples as the night uses them.

    In the train split, a label that the ancestor has learned gets the label and the weight 0. An example from before `cursor.until`
    without any other label gets the number LEARNED. Train and validate examples of a day that is left out get LEFT_OUT.

    Args:
        labels: one row per example with TIME, `label/<task>` and `weight/<task>`.
        chosen: (examples,): place of the split in SPLITS, or GAP.
        plan: plan of the stage.

    Returns:
        (labels, chosen).
    """
    if plan.cursor is None and not plan.left_out:
        return labels, chosen
    times, chosen = labels[TIME].to_numpy(), chosen.copy()
    train = chosen == SPLITS.index(TRAIN)
    if plan.cursor is not None:
        earlier = train & (times < plan.cursor.until)
        new = np.zeros(len(times), bool)
        columns = []
        for task, closing in closings(plan.tasks).items():
            weights = labels[weight_of(task)].to_numpy()
            learned = earlier & (times <= plan.cursor.as_of - closing)
            new |= (weights > 0) & ~learned
            columns += [
                pl.Series(name, np.where(learned, np.float32(0), labels[name].to_numpy()))
                for name in (label_of(task), weight_of(task))
            ]
            if unweighted(task) in labels.columns:
                columns.append(pl.Series(unweighted(task), labels[unweighted(task)].to_numpy() & ~learned))
        labels = labels.with_columns(columns)
        chosen[earlier & ~new] = LEARNED
    for start, end in ranges_of(plan.left_out):
        chosen[(train | (chosen == SPLITS.index(VALIDATE))) & (times >= start) & (times < end)] = LEFT_OUT
    return labels, chosen


def count_new(labels: pl.DataFrame, chosen: NDArray[np.uint8], plan: EventLogsPlan) -> int:
    """Number of train examples from `cursor.until` on; 0 without a cursor."""
    if plan.cursor is None:
        return 0
    train = chosen == SPLITS.index(TRAIN)
    return int(np.count_nonzero(train & (labels[TIME].to_numpy() >= plan.cursor.until)))


def lost(chosen: NDArray[np.uint8]) -> Mapping[str, int]:
    """{entry of the row accounting: number of examples in no split}."""
    return {entry: int(np.count_nonzero(chosen == number)) for number, entry in LOST.items()}
