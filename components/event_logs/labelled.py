"""Label columns, of labelled examples or of impressions, become labels and weights. Equal labelled examples remain separate (twins)."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from components.event_logs.attribution import observed_labels, with_weights
from components.event_logs.column_plan import ColumnPlan
from components.event_logs.events import Wanted, label_column
from components.event_logs.identity import example_ids
from components.event_logs.plan import TaskPlan
from components.event_logs.values import NOT_NEGATIVE, ZERO_OR_ONE
from components.example_schema import EXAMPLE_ID
from models.recipe.checks.served_names import OWN


def weight_column(task: TaskPlan) -> str:
    """The internal name of the column with the task's weights."""
    return f"{OWN}weight/{task.name}"


def wanted_labels(tasks: Sequence[TaskPlan]) -> list[Wanted]:
    """The label columns to read.

    A task with `positive` compares texts. Without it, a binary label is 0 or 1 and a regression label, or one with `above`, is a
    finite number; other values are dead letters. A missing label is not observed: weight 0.
    """
    return [
        Wanted(
            label_column(task),
            ColumnPlan(name=str(task.label), type="bytes" if task.positive else "float"),
            "label column",
            range=None if task.reads_numbers or task.positive else ZERO_OR_ONE,
        )
        for task in tasks
    ]


def wanted_weights(tasks: Sequence[TaskPlan]) -> list[Wanted]:
    """The columns with the tasks' own weights to read.

    A negative or infinite weight, or a text, is a dead letter. A missing weight, such as the propensity of an outcome that did not
    happen, is read as 0: the label is not observed.
    """
    return [
        Wanted(weight_column(task), ColumnPlan(name=task.weight, type="float"), "weight column", NOT_NEGATIVE)
        for task in tasks
        if task.weight is not None
    ]


def number_twins(examples: pl.DataFrame, row: str, salt: str) -> pl.DataFrame:
    """The examples with `gatewise/example_id`: unique, and independent of how the rows are distributed over files.

    Equal rows (same hash `row`) are numbered 0, 1, ... in any order. `salt` distinguishes the file sets.
    """
    twins = examples.select(pl.int_range(pl.len()).over(row).alias("twin"))["twin"].to_numpy()
    return examples.with_columns(pl.Series(EXAMPLE_ID, example_ids(examples[row].to_numpy(), twins, salt)))


def labels(examples: pl.DataFrame, tasks: Sequence[TaskPlan]) -> pl.DataFrame:
    """The prepared label columns replaced by `label/<task>` and `weight/<task>`."""
    values, seen = observed_labels(examples, tasks)
    return with_weights(examples.drop([label_column(task) for task in tasks]), tasks, values, seen)


def label_values(events: pl.DataFrame, task: TaskPlan) -> list[str]:
    """Up to ten values of the prepared label column, for the message if no row is positive."""
    return events[label_column(task)].drop_nulls().unique().sort().head(10).to_list()
