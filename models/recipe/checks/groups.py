"""Checks of the losses that compare the examples of a group."""

from __future__ import annotations

from collections.abc import Iterator

from models.recipe.checks.loss_facts import loss_fact
from models.recipe.checks.problem import Problem
from models.recipe.recipe import Recipe
from models.recipe.tasks import Task, loss_of


def group_problems(recipe: Recipe) -> Iterator[Problem]:
    for name, task in recipe.tasks.items():
        if not compares_within_groups(task):
            continue
        at, compares = ("tasks", name, "loss"), f"{loss_of(task)!r} compares the examples of a group"
        if recipe.evaluation.group_key is None:
            yield (
                at,
                f"{compares}, and there are no groups: set evaluation.group_key to a column, such as the request or the user.",
            )
        if recipe.training.sampling == "tasks":
            yield (
                at,
                f"{compares}, and 'training.sampling: tasks' draws single rows. Write 'sampling: rows', or choose another loss.",
            )
        if task.objective is not None:
            yield (
                at,
                f"{compares}, and the objective {task.objective!r} trains its task without groups. Choose another loss, or remove "
                "'objective'.",
            )


def compares_within_groups(task: Task) -> bool:
    """Whether the task's loss compares the examples of a group; also False if the loss is unknown."""
    return bool(loss_fact(task, "within_group"))
