"""Checks of what weighs the examples of a task: its column of weights, and the share of its negatives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from models.losses import LOSS, LOSSES
from models.recipe.checks.problem import Problem
from models.recipe.errors import InputError
from models.recipe.features import column_of
from models.recipe.recipe import Recipe
from models.recipe.registry import check_options, facts, path_of, signature
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
        if column_of(name, feature) == column:
            yield (
                ("features", name),
                f"the column {column!r} is the weight of the task {task!r}, which a request does not have and which may depend on the "
                "label. Remove the feature.",
            )


def _negatives(at: tuple[str, str, str], task: Task) -> Iterator[Problem]:
    if task.kind != "binary":
        yield at, "a regression task has no negatives. Remove 'negative_rate'."
        return
    loss = loss_of(task)
    try:
        path = path_of(loss, LOSSES, "loss")
        needed = facts(path, LOSS).get("log_odds_if")
        options = {name: default for name, (_, default) in signature(path).items()}
        options |= check_options(task.loss_options.get(loss, {}), path, loss)
    except InputError:  # it has a message of its own
        return
    if needed is not None and all(options.get(name) == value for name, value in needed.items()):
        return
    fitting = {row: facts(path, LOSS).get("log_odds_if") for row, path in LOSSES.items()}
    words = [_words(row, about) for row, about in fitting.items() if about is not None]
    yield (
        at,
        f"the probabilities are corrected by a shift of the logit, which is exact only if the logit is the log odds. That of "
        f"{loss!r} with these options is not. Expected the loss {' or '.join(words)}. Change the loss, or remove 'negative_rate'.",
    )


def _words(loss: str, options: Mapping[str, Any]) -> str:
    return f"{loss!r}{''.join(f' with {name} {value:g}' for name, value in options.items())}"
