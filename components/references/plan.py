"""The references' part of the recipe: the Trainer's, without its teacher and without what changes only the exported model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.architectures import ARCHITECTURES
from models.recipe.evaluation import Reference
from models.recipe.recipe import Recipe
from models.recipe.registry import check_options, defaults, path_of
from models.recipe.stage_plan import StagePlan
from models.training.plan import TrainerPlan

SINGLE_TASK: Reference = "single_task"


class ReferencesPlan(StagePlan):
    """The references to train.

    `model`: the model that they accompany. Its network sets the budget of the twins. `single_task_options`: the options of the
    twins before their layers are scaled.
    """

    references: tuple[Reference, ...]
    model: TrainerPlan
    single_task_options: Mapping[str, Any] = {}

    @classmethod
    def from_recipe(cls, recipe: Recipe) -> ReferencesPlan:
        """The plan of a recipe."""
        model = TrainerPlan.from_recipe(recipe).without_export
        # The references train with fixed weights whatever the balancer, and without a teacher.
        fixed: dict[str, Any] = {"balancer": "fixed", "balancer_options": {}, "distill": None}
        return cls(
            references=recipe.references,
            model=model.model_copy(update=fixed),
            single_task_options=_single_task_options(recipe) if SINGLE_TASK in recipe.references else {},
        )


def _single_task_options(recipe: Recipe) -> dict[str, Any]:
    """All options of `single_task`: the recipe's; if it has none, those of its own architecture that have the same names."""
    path, name = path_of(SINGLE_TASK, ARCHITECTURES, "architecture"), recipe.model.architecture
    own_defaults = defaults(path)
    own = recipe.model.options.get(SINGLE_TASK)
    if own is None and name in ARCHITECTURES:
        theirs = defaults(ARCHITECTURES[name]) | dict(recipe.model.options.get(name, {}))
        own = {option: value for option, value in theirs.items() if option in own_defaults}
    return check_options(own_defaults | dict(own or {}), path, SINGLE_TASK)
