"""Checks of the section `training.distill`, and the tasks that can learn from a teacher."""

from __future__ import annotations

from collections.abc import Iterator

from models.losses import LOSS, LOSSES
from models.recipe.checks.loss_facts import loss_fact
from models.recipe.checks.model import model_problems
from models.recipe.checks.problem import Problem
from models.recipe.checks.tasks import task_problems
from models.recipe.recipe import Recipe
from models.recipe.registry import facts, known
from models.recipe.tasks import funnel_of, loss_of
from models.recipe.teacher import teacher_recipe

AT = ("training", "distill")


def distillable(recipe: Recipe) -> tuple[str, ...]:
    """The main tasks whose loss is linear in the label: only their labels can be mixed with predictions."""
    return tuple(name for name, task in recipe.main_tasks.items() if loss_fact(task, "linear"))


def distilled(recipe: Recipe) -> tuple[str, ...]:
    """The tasks that learn from the teacher; () without one."""
    distill = recipe.training.distill
    return () if distill is None else distill.tasks or distillable(recipe)


def distill_problems(recipe: Recipe) -> Iterator[Problem]:
    distill, teacher = recipe.training.distill, teacher_recipe(recipe)
    if distill is None:
        return
    if teacher is not None:
        yield from _of_the_teacher(recipe, teacher)
    else:
        for key in ("options", "balancer"):
            if key in distill.model_fields_set:
                yield (*AT, key), f"the blessed model is as it was trained, so {key!r} has no effect. Remove it."
    fitting = distillable(recipe)
    for name, task in recipe.tasks.items():
        if task.negative_rate < 1.0:
            yield (
                ("tasks", name, "negative_rate"),
                "chooses among the labels that are 0, and under `training.distill` labels are mixed with predictions. Remove one of the "
                "two.",
            )
        if task.objective is not None and set(distilled(recipe)) & {name, *funnel_of(name, recipe.tasks)}:
            yield (
                ("tasks", name, "objective"),
                f"{task.objective!r} needs to know whether each task of the funnel happened, and the teacher's predictions are mixed "
                "into their labels. List other tasks in `training.distill.tasks`, or remove one of the two.",
            )
    for name in distill.tasks or ():
        if name not in recipe.tasks:
            yield (*AT, "tasks"), f"no task is called {name!r}; {known(name, recipe.tasks)}"
        elif recipe.tasks[name].role != "main":
            yield (
                (*AT, "tasks"),
                f"{name!r} has `role: {recipe.tasks[name].role}`, and a teacher predicts main tasks only. Expected tasks of: "
                f"{', '.join(fitting) or 'none'}.",
            )
        elif name not in fitting:
            yield (
                (*AT, "tasks"),
                f"the loss {loss_of(recipe.tasks[name])!r} of {name!r} is not linear in the label, so that a label mixed with a "
                f"prediction would move its prediction away from what it means. Expected tasks of: {', '.join(fitting) or 'none'}. "
                f"Losses that are linear: {', '.join(row for row, path in LOSSES.items() if facts(path, LOSS)['linear'])}.",
            )
    if distill.tasks is None and not fitting:
        yield (
            AT,
            "no main task has a loss that is linear in the label, so there is nothing to distil. Remove the section.",
        )


def _of_the_teacher(recipe: Recipe, teacher: Recipe) -> Iterator[Problem]:
    """Problems that the teacher has and the model does not."""
    keys = {"architecture": "teacher", "options": "options", "balancer": "balancer"}
    for check in (model_problems, task_problems):
        own = set(check(recipe))
        for at, message in check(teacher):
            if (at, message) not in own:
                yield (*AT, *((keys[str(at[1])], *at[2:]) if at[0] == "model" else ("balancer",))), message
