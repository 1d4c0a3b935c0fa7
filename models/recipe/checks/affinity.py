"""Checks of `training.affinity_every`."""

from __future__ import annotations

from collections.abc import Iterator

from models.recipe.checks.loss_facts import loss_fact
from models.recipe.checks.problem import Problem
from models.recipe.recipe import Recipe
from models.recipe.tasks import loss_of

AT = ("training", "affinity_every")


def affinity_problems(recipe: Recipe) -> Iterator[Problem]:
    if recipe.training.affinity_every is None:
        return
    tasks = [name for name, task in recipe.tasks.items() if task.role != "adversarial"]
    if len(tasks) < 2:
        yield (
            AT,
            "affinities are measured between tasks: expected at least 2 that are not adversarial, received "
            f"{len(tasks)}. Remove the key.",
        )
    if recipe.training.precision != "float32":
        yield (
            AT,
            f"one step changes a loss by less than {recipe.training.precision} can tell. Write `training.precision: float32`, or "
            "remove the key.",
        )
    for name in tasks:
        task = recipe.tasks[name]
        if loss_fact(task, "negative"):
            yield (
                AT,
                f"an affinity is a ratio of losses that are never below 0, but {loss_of(task)!r}, the loss of the task {name!r}, can be "
                "negative. Choose another loss for the task, or remove the key.",
            )
