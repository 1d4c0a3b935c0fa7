"""Checks of the objectives of conditioned tasks."""

from __future__ import annotations

from collections.abc import Iterator

from models.objectives import OBJECTIVE, OBJECTIVES
from models.recipe.checks.log_odds import is_log_odds, losses_of_log_odds
from models.recipe.checks.options import option_problems
from models.recipe.checks.problem import Problem
from models.recipe.errors import InputError
from models.recipe.recipe import Recipe
from models.recipe.registry import facts, path_of
from models.recipe.tasks import funnel_of, loss_of


def objective_problems(name: str, recipe: Recipe) -> Iterator[Problem]:
    """Problems of the objective of the task `name`, and of its options."""
    task, at = recipe.tasks[name], ("tasks", name, "objective")
    yield from option_problems((*at[:2], "objective_options"), task.objective_options, OBJECTIVES, "objective", recipe)
    if task.objective is None:
        return
    try:
        facts(path_of(task.objective, OBJECTIVES, "objective"), OBJECTIVE)
    except InputError as error:
        yield at, str(error)
    if task.role == "adversarial":
        yield at, "an adversarial task is trained by its own loss. Remove 'objective', or the role."
    if task.conditioned_on is None:
        yield (
            at,
            f"{task.objective!r} relates a task to the one before it. Write `conditioned_on: TASK`, such as a click before an order, "
            "or remove 'objective'.",
        )
    funnel = funnel_of(name, recipe.tasks)
    for one in (*funnel, name):
        about = recipe.tasks[one]
        if about.kind != "binary" or not is_log_odds(about):
            yield (
                at,
                f"{task.objective!r} multiplies probabilities, and the loss of {one!r}, {loss_of(about)!r} with its options, has none "
                f"that is the sigmoid of a logit. Expected the loss {losses_of_log_odds()} for every task of the funnel. Change the "
                "loss, or remove 'objective'.",
            )
        if about.negative_rate != 1.0:
            yield (
                at,
                f"{one!r} has a `negative_rate`, and {task.objective!r} needs all impressions: without some of the negatives, their "
                "probabilities cannot be multiplied. Remove one of the two.",
            )
    for one in funnel:
        if recipe.tasks[one].role == "adversarial":
            yield at, f"{one!r} is an adversarial task, whose probability says nothing. Name another `conditioned_on`."
