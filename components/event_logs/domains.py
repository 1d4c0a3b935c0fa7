"""Labels that a task's loss is not defined for: counted where the examples are written, refused when all are known.

It is the label that counts, not the single value: a sum of refunds may leave the domain where no refund does, and a
refund that a sale makes up for is no harm. Every domain of the table holds all numbers from 0 on, so a label outside of
one has a negative value behind it, and the first of these has a file and a row.
"""

from __future__ import annotations

import polars as pl

from components.event_logs.events import VALUE, label_column
from components.event_logs.plan import DomainPlan, EventLogsPlan, StreamPlan, TaskPlan
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
    """Notes where the first negative number of each column stands of which a task's loss may not learn negative ones.

    Args:
        events, rows: well-formed rows of the stream as `events.Prepared` has them, and their numbers in the file.
        stream: theirs.
        plan: the stage's.
        file: name of the file.
        tally: added to.
    """
    for task in plan.tasks:
        if task.domain is None or task.stream not in (None, stream.name):
            continue
        name, column = (VALUE, stream.value) if task.stream else (label_column(task), task.label)
        first = events.select((pl.col(name) < 0).arg_true().first().alias("first"))["first"][0]
        if first is not None:
            value = f"{events[name][first]:g}"
            tally.sample(stream.name, NEGATIVE.format(column), file, rows[first], value)


def count_outside(part: pl.DataFrame, task: TaskPlan, domain: DomainPlan, tally: Tally) -> None:
    """Adds the observed labels outside of the loss's domain, and the smallest of them, to the tally.

    Args:
        part: label/<task> and weight/<task> of some examples.
        task: one whose loss restricts its labels.
        domain: the labels that its loss is defined for.
        tally: added to.
    """
    label = pl.col(label_of(task.name)).cast(pl.Float64)
    inside = pl.lit(True)
    if domain.above is not None:
        inside &= label > domain.above
    if domain.at_least is not None:
        inside &= label >= domain.at_least
    outside = part.filter((pl.col(weight_of(task.name)) > 0) & ~inside)[label_of(task.name)]
    tally.add(len(outside), "outside", task.name)
    for value in outside.unique().sort().head(_SHOWN).to_list():
        tally.add(int((outside == value).sum()), "outside value", task.name, f"{value:g}")


def check_labels(plan: EventLogsPlan, task: TaskPlan, tally: Tally) -> None:
    """Refuses labels outside of the domain of the task's loss.

    Raises:
        InputError: there are some.
    """
    count = tally.counts["outside", task.name]
    if task.domain is None or not count:
        return
    observed = sum(tally.counts["task", task.name, split, "observed"] for split in SPLITS)
    smallest = sorted(map(float, tally.below("outside value", task.name)))[:_SHOWN]
    source = f"stream {task.stream!r}" if task.stream else f"label column {task.label!r}"
    column = task.label or plan.stream(str(task.stream)).value
    streams = [task.stream] if task.stream else [stream.name for stream in plan.streams]
    places = [
        tally.samples[key] for stream in streams if (key := (str(stream), NEGATIVE.format(column))) in tally.samples
    ]
    where = "".join(
        f" The first negative number in column {column!r} stands in {f}, row {r}: {raw}." for f, r, raw in places
    )
    rows = {loss: facts(path, LOSS) for loss, path in LOSSES.items()}
    fitting = [
        loss
        for loss, about in rows.items()
        if about["kind"] == task.kind and about["above"] is None and about["at_least"] is None
    ]
    summed = ", the sums of an impression's outcomes," if task.stream and task.aggregate == "sum" else ""
    raise InputError(
        f"task {task.name!r} ({source}): {count:,} of {observed:,} observed labels{summed} are not what the loss "
        f"{task.domain.loss!r} is defined for: expected numbers {task.domain.words}, received "
        f"{', '.join(f'{value:g}' for value in smallest)}{' ...' if len(smallest) == _SHOWN else ''} (the smallest)."
        f"{where} Mend the values or leave these rows out, or choose a loss for any number: `loss: {fitting[0]}`, "
        f"{', '.join(map(repr, fitting[1:]))}."
    )
