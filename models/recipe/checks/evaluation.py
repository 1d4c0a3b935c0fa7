"""Checks of the section `evaluation`."""

from __future__ import annotations

from collections.abc import Iterator

from models.recipe.checks.problem import Problem
from models.recipe.evaluation import NotBelow
from models.recipe.features import feature_columns, has_list
from models.recipe.recipe import Recipe
from models.recipe.registry import known
from models.recipe.tasks import METRICS, metrics_of


def evaluation_problems(recipe: Recipe) -> Iterator[Problem]:
    for index, entry in enumerate(recipe.evaluation.slices):
        if not entry or len(set(entry)) != len(entry):
            yield ("evaluation", "slices", index), f"expected one or more distinct columns, received {list(entry)}."
        for column in entry:
            if has_list(feature_columns(recipe.features).get(column)):
                yield (
                    ("evaluation", "slices", index),
                    f"the column {column!r} has several values per example; slice by a column with one value.",
                )
    group_key = recipe.evaluation.group_key
    if group_key and has_list(feature_columns(recipe.features).get(group_key)):
        yield (
            ("evaluation", "group_key"),
            f"the column {group_key!r} has several values per example; group by a column with one value.",
        )
    gates: dict[tuple[str | int, ...], NotBelow | None] = {("evaluation",): recipe.evaluation.not_below_single_task}
    for name, about in recipe.tasks.items():
        gates["tasks", name] = about.not_below_single_task
        if about.not_below_single_task is not None and set(metrics_of(about)) <= {"calibration"}:
            yield (
                ("tasks", name, "not_below_single_task"),
                f"the gate compares a metric other than calibration; add {METRICS[about.kind][0]} to the task's metrics.",
            )
    for at, gate in gates.items():
        if gate is not None and "single_task" not in recipe.evaluation.references:
            yield (
                (*at, "not_below_single_task"),
                "the gate compares with the single-task twin, which is not trained: write evaluation.references: [linear, "
                "single_task].",
            )
    truth = recipe.evaluation.truth
    if truth is None:
        return
    if (
        recipe.logs is None
        or recipe.logs.impressions not in recipe.logs.streams
        or recipe.logs.streams[recipe.logs.impressions].event_id is None
    ):
        yield (
            ("evaluation", "truth"),
            "the truth is joined by the impression's event id: set 'event_id' in the impression stream.",
        )
    for task in truth.columns:
        if task not in recipe.main_tasks:
            said = (
                f"{task!r} is auxiliary, so it is not measured"
                if task in recipe.tasks
                else f"no task is called {task!r}"
            )
            yield ("evaluation", "truth", "columns", task), f"{said}; {known(task, recipe.main_tasks)}"
