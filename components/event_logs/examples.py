"""The examples of one partition: features in their stored order, labels in the order of the output files."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from components.columnar.lists import taken_apart
from components.event_logs import labelled, shuffle
from components.event_logs.events import ROW, WEIGHT
from components.event_logs.identity import example_ids
from components.event_logs.partitions import grouped
from components.event_logs.plan import FILES_OF, EventLogsPlan, StreamPlan, TaskPlan
from components.event_logs.shuffle import Reference
from components.event_logs.splits import Starts, splits_by_hash, splits_by_time
from components.event_logs.values import FLOAT32_MAX
from components.event_logs.writing import POSITION, separators, unweighted
from components.example_schema import EVAL, EXAMPLE_ID, SPLITS, TIME, VALIDATE, label_of, weight_of


@dataclass(frozen=True)
class Examples:
    """Examples of one stream.

    `features`: the columns of the plan, with rows in any order. Some rows may not be examples. A text with several values is
    not split yet (`writing.separators`).
    `labels`: one row per example, sorted by example id: `writing.POSITION` of its features, example id, row hash, time,
    label/<task>, weight/<task>, and the columns with the weights of the example and of the tasks if the recipe has them.
    """

    stream: str
    features: pl.DataFrame
    labels: pl.DataFrame


def examples_of(references: Iterable[Reference], plan: EventLogsPlan) -> Iterator[Examples]:
    """The examples of one partition, by stream.

    Raises:
        RuntimeError: an example has no features: a defect of this stage.
    """
    found = grouped(references)
    for stream in plan.streams:
        features = _features(found.get(("feature", stream.name), ()), plan)
        if features is None:
            continue
        if plan.labelled:
            labels = _own_labels(features, plan, stream)
        else:
            credited = shuffle.read(found.get(("label", stream.name), ()))
            if credited is None:
                continue
            labels = _joined(features, credited, plan)
        yield Examples(stream.name, features, weighted(labels, plan.tasks).sort(EXAMPLE_ID))


def weighted(labels: pl.DataFrame, tasks: Sequence[TaskPlan]) -> pl.DataFrame:
    """`weight/<task>` times the weight of the example and the task's own, as far as there are any.

    With a weight of 0 a task is not observed: its label is 0. Marks the labels whose own weight is 0 or missing
    (`writing.unweighted`). The product of two weights is at most the largest 32-bit float.
    """
    columns = []
    for task in tasks:
        factors = [name for name in (WEIGHT, labelled.weight_column(task)) if name in labels.columns]
        if not factors:
            continue
        observed = pl.col(weight_of(task.name))
        weight = functools.reduce(operator.mul, (pl.col(name).cast(pl.Float64).fill_null(0.0) for name in factors))
        weight = (observed * weight).clip(upper_bound=FLOAT32_MAX).cast(pl.Float32)
        label = pl.when(weight > 0).then(pl.col(label_of(task.name))).otherwise(pl.lit(0.0, pl.Float32))
        columns += [weight, label.alias(label_of(task.name))]
        if task.weight is not None:
            own = pl.col(labelled.weight_column(task)).fill_null(0.0)
            columns.append(((observed > 0) & (own == 0)).alias(unweighted(task.name)))
    return labels.with_columns(columns)


def splits_of(examples: Examples, plan: EventLogsPlan, starts: Starts) -> np.ndarray:
    """(examples,) uint8: the place of each example's split in SPLITS, or `splits.GAP`. `starts`: of `splits.starts_of`."""
    labels = examples.labels
    for split, files in FILES_OF.items():
        if plan.labelled and examples.stream == files:
            return np.full(labels.height, SPLITS.index(split), np.uint8)
    if TIME in labels.columns:
        return splits_by_time(labels[TIME].to_numpy(), starts, plan.split.gap)
    # By the id of the first of equal rows: twins in two splits would leak eval examples into training.
    rows = labels[ROW].to_numpy()
    firsts = example_ids(rows, np.zeros(len(rows), np.uint64), examples.stream)
    validate = 0.0 if plan.published(VALIDATE) else plan.split.validate_share or 0.0
    evaluate = 0.0 if plan.published(EVAL) else plan.split.eval_fraction or 0.0
    return splits_by_hash(firsts, validate, evaluate)


def _features(references: Iterable[Reference], plan: EventLogsPlan) -> pl.DataFrame | None:
    parts = list(shuffle.frames(references))
    # The same column may contain lists in JSON lines and texts in CSV.
    for name, separator in separators(plan).items():
        if len({part.schema[name] for part in parts}) > 1:
            parts = [
                part
                if isinstance(part.schema[name], pl.List)
                else part.with_columns(pl.Series(name, pl.from_arrow(taken_apart(part[name], separator))))
                for part in parts
            ]
    return pl.concat(parts, rechunk=True) if parts else None


def _own_labels(features: pl.DataFrame, plan: EventLogsPlan, stream: StreamPlan) -> pl.DataFrame:
    names = {column.name for column in plan.columns}
    narrow = features.select(name for name in features.columns if name not in names).with_row_index(POSITION)
    return labelled.labels(labelled.number_twins(narrow, ROW, stream.name), plan.tasks)


def _joined(features: pl.DataFrame, labels: pl.DataFrame, plan: EventLogsPlan) -> pl.DataFrame:
    # Equal rows are one event: any of them has its features.
    own = [labelled.weight_column(task) for task in plan.tasks]
    kept = [name for name in (TIME, ROW, WEIGHT, *own) if name in features.columns]
    places = features.select(kept).with_row_index(POSITION).unique(subset=[TIME, ROW], keep="any")
    joined = labels.join(places, on=[TIME, ROW], how="inner")
    if joined.height != labels.height:
        raise RuntimeError(f"{labels.height - joined.height} of {labels.height} examples have no features")
    return joined.with_columns(pl.Series(EXAMPLE_ID, example_ids(joined[ROW].to_numpy())))
