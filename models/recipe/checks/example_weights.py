"""Checks of what weighs the examples of a task: its column of weights, and the share of its negatives."""

from __future__ import annotations

from collections.abc import Iterator

from models.recipe.checks.log_odds import is_log_odds, losses_of_log_odds
from models.recipe.checks.problem import Problem
from models.recipe.features import columns_of
from models.recipe.recipe import Recipe
from models.recipe.tasks import Task, loss_of


def weight_problems(recipe: Recipe) -> Iterator[Problem]:
    for name, task in recipe.tasks.items():
        if task.weight_column is not None:
            yield from _column(name, task.weight_column, recipe)
        if task.negative_rate < 1.0:
            yield from _negatives(("tasks", name, "negative_rate"), task)


def _column(task: str, column: str, recipe: Recipe) -> Iterator[Problem]:
    if column == recipe.example_weight:
        yield (
            ("tasks", task, "weight_column"),
            f"the column {column!r} is already the weight of every example, which would count twice. Remove 'weight_column'.",
        )
    for name, feature in recipe.features.items():
        if column in columns_of(name, feature):
            yield (
                ("features", name),
                f"the column {column!r} is the weight of the task {task!r}, which a request does not have and which may depend on the "
                "label. Remove the feature.",
            )


def _negatives(at: tuple[str, str, str], task: Task) -> Iterator[Problem]:
    if task.kind != "binary":
        yield at, "a regression task has no negatives. Remove 'negative_rate'."
        return
    if not is_log_odds(task):
        yield (
            at,
            f"the probabilities are corrected by a shift of the logit, which is exact only if the logit is the log odds. That of "
            f"{loss_of(task)!r} with these options is not. Expected the loss {losses_of_log_odds()}. Change the loss, or remove "
            "'negative_rate'.",
        )
