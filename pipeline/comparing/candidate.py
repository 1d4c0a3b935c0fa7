"""A candidate: a method with the changes of a trial, with a network of the budget's size, ready to be trained."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal

from components.references.training import network_of
from models.recipe.recipe import Recipe
from models.training.build import build_model
from models.training.plan import TrainerPlan
from pipeline.comparing.methods import TWINS, Method
from pipeline.comparing.multiply_adds import multiply_adds
from pipeline.comparing.selection import Source, as_overrides, selected
from pipeline.comparing.sizing import matched_options, options_of
from pipeline.comparing.trial import Splits

Matched = Literal["parameters", "flops", "none"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Candidate:
    """A method that can be trained.

    Attributes:
        overrides: what makes the recipe of it, without a seed.
        plan: its training.
        size: size of its network in the unit of the budget; None if sizes are not matched.
    """

    overrides: tuple[str, ...]
    plan: TrainerPlan
    size: float | None

    def with_seed(self, seed: int) -> TrainerPlan:
        """Its training from a seed."""
        return self.plan.model_copy(update={"training": self.plan.training.model_copy(update={"seed": seed})})


def candidate(
    source: Source, method: Method, changes: Mapping[str, Any], splits: Splits, matched: Matched, budget: float | None
) -> Candidate:
    """Sizes the layers of a method.

    Args:
        source: the recipe.
        method: the method.
        changes: what a trial changes: key, as in `--set`, -> value.
        splits: the data.
        matched: what the budget counts.
        budget: wanted size; None if sizes are not matched.
    """
    recipe = selected(source, method, changes)
    plan = plan_of(recipe)
    options, size = options_of(recipe), None
    if budget is not None:

        def size_of(wanted: Mapping[str, Any]) -> float:
            return network_size(plan.model_copy(update={"options": dict(wanted)}), splits, matched)

        options = matched_options(options, size_of, budget)
        size = size_of(options)
    # The options below have the changes of the architecture's options.
    others = {key: value for key, value in changes.items() if not key.startswith("model.options.")}
    sized = {"model.options": {method.architecture: options}}
    overrides = (*method.overrides, *as_overrides(others), *as_overrides(sized))
    return Candidate(overrides=overrides, plan=plan_of(source.recipe(*overrides)), size=size)


def plan_of(recipe: Recipe) -> TrainerPlan:
    """The training of a recipe, without an export. The twins have no auxiliary tasks, which would take a part of their budget."""
    plan = TrainerPlan.from_recipe(recipe).without_export
    return _served(plan) if recipe.model.architecture == TWINS else plan


def network_size(plan: TrainerPlan, splits: Splits, matched: Matched) -> float:
    """Parameters of the network, or multiply-adds of one prediction."""
    if matched == "parameters":
        return network_of(plan, splits.layout).parameters
    model = build_model(plan, splits.layout, "float32")
    model({name: array[:1] for name, array in splits.validate.arrays.items()})
    return multiply_adds(model, splits.validate)


def _served(plan: TrainerPlan) -> TrainerPlan:
    distill = plan.distill
    if distill is not None and distill.teacher is not None:
        of_tasks = tuple(task for task in distill.tasks if plan.tasks[task].served)
        distill = distill.model_copy(update={"teacher": _served(distill.teacher), "tasks": of_tasks})
    tasks = {task: about for task, about in plan.tasks.items() if about.served}
    return plan.model_copy(update={"tasks": tasks, "distill": distill})
