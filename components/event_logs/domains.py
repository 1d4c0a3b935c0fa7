"""Labels outside the domain of a task's loss: counted when the examples are written, refused when all are known.

The label is checked, not the single value: a sum of values may leave the domain, and a sale may compensate a refund. A domain
is a list of values, or contains all numbers greater than 0. In the second case a label outside has a negative value behind it, and
the message names the file and row of the first one.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from components.event_logs.domain_plan import DomainPlan
from components.event_logs.events import VALUE, label_column
from components.event_logs.plan import EventLogsPlan, StreamPlan, TaskPlan
from components.event_logs.tally import Tally
from components.example_schema import SPLITS, label_of, weight_of
from models.losses import LOSS, LOSSES
from models.recipe.errors import InputError
from models.recipe.registry import facts

NEGATIVE = "negative number in column {!r}"
_SHOWN = 5


def note_negatives(
    events: pl.DataFrame, rows: pl.Series, stream: StreamPlan, plan: EventLogsPlan, file: str, tally: Tally
) -> None:
    """Records the place of the first negative number in each column whose task has a loss with a lower limit.

    Args:
        events, rows: well-formed rows of the stream as in `events.Prepared`, and their row numbers in the file.
        stream: stream of the rows.
        plan: plan of the stage.
        file: name of the file.
        tally: tally that receives the counts.
    """
    for task in plan.tasks:
        own = stream.name == task.stream if task.stream else plan.makes_examples(stream)
        if task.domain is None or task.domain.values or not own:
            continue
        name, column = (VALUE, stream.value) if task.stream else (label_column(task), task.label)
        first = events.select((pl.col(name) < 0).arg_true().first().alias("first"))["first"][0]
        if first is not None:
            value = f"{events[name][first]:g}"
            tally.sample(stream.name, NEGATIVE.format(column), file, rows[first], value)


def count_outside(part: pl.DataFrame, task: TaskPlan, domain: DomainPlan, tally: Tally) -> None:
    """Adds the observed labels outside the loss's domain, and the smallest of them, to the tally.

    Args:
        part: label/<task> and weight/<task> of some examples.
        task: task with a loss that restricts its labels.
        domain: the labels for which the loss is defined.
        tally: tally that receives the counts.
    """
    label = pl.col(label_of(task.name)).cast(pl.Float64)
    inside = pl.lit(True)
    if domain.above is not None:
        inside &= label > domain.above
    if domain.at_least is not None:
        inside &= label >= domain.at_least
    if domain.values:
        inside &= label.is_in(np.array(domain.values, np.float32).astype(np.float64))
    outside = part.filter((pl.col(weight_of(task.name)) > 0) & ~inside)[label_of(task.name)]
    tally.add(len(outside), "outside", task.name)
    for value in outside.unique().sort().head(_SHOWN).to_list():
        tally.add(int((outside == value).sum()), "outside value", task.name, f"{value:g}")


def check_labels(plan: EventLogsPlan, task: TaskPlan, tally: Tally) -> None:
    """Refuses labels outside the domain of the task's loss.

    Raises:
        InputError: there is such a label.
    """
    count = tally.counts["outside", task.name]
    if task.domain is None or not count:
        return
    observed = sum(tally.counts["task", task.name, split, "observed"] for split in SPLITS)
    smallest = sorted(map(float, tally.below("outside value", task.name)))[:_SHOWN]
    source = f"stream {task.stream!r}" if task.stream else f"label column {task.label!r}"
    column = task.label or plan.stream(str(task.stream)).value
    makers = [stream.name for stream in plan.streams if plan.makes_examples(stream)]
    streams = [task.stream] if task.stream else makers
    places = [
        tally.samples[key] for stream in streams if (key := (str(stream), NEGATIVE.format(column))) in tally.samples
    ]
    where = "".join(
        f" The first negative number in column {column!r} is in {f}, row {r}: {raw}." for f, r, raw in places
    )
    rows = {loss: facts(path, LOSS) for loss, path in LOSSES.items()}
    any_number = facts(LOSS, LOSS)["labels"]
    fitting = [loss for loss, about in rows.items() if about["kind"] == task.kind and about["labels"] == any_number]
    summed = ", the sums of an impression's outcomes," if task.stream and task.aggregate == "sum" else ""
    raise InputError(
        f"task {task.name!r} ({source}): {count:,} of {observed:,} observed labels{summed} are outside the domain of the loss "
        f"{task.domain.loss!r}: expected numbers {task.domain.words}, received "
        f"{', '.join(f'{value:g}' for value in smallest)}{' ...' if len(smallest) == _SHOWN else ''} (the smallest)."
        f"{where} Correct the values, remove these rows, or choose a loss for any number: `loss: {fitting[0]}`, "
        f"{', '.join(map(repr, fitting[1:]))}."
    )
