"""The modules of a recipe's methods. A stage looks them up by name, so its imports do not list them."""

from __future__ import annotations

from collections.abc import Iterable

from models.architectures import ARCHITECTURES
from models.backbones import BACKBONES
from models.balancing import BALANCERS
from models.losses import LOSSES
from models.objectives import OBJECTIVES
from models.recipe.recipe import Recipe
from models.recipe.registry import path_of
from models.recipe.tasks import loss_of
from models.regularizers import REGULARIZERS


def method_modules(recipe: Recipe | None) -> list[str]:
    """Modules of the methods that train the recipe's model; none without a recipe."""
    if recipe is None:
        return []
    paths = [
        path_of(recipe.model.architecture, ARCHITECTURES, "architecture"),
        path_of(recipe.model.backbone, BACKBONES, "backbone"),
        path_of(recipe.model.balancer, BALANCERS, "balancer"),
        *(path_of(name, REGULARIZERS, "regularizer") for name in recipe.model.regularizers),
        *(path_of(loss_of(task), LOSSES, "loss") for task in recipe.tasks.values()),
        *(path_of(task.objective, OBJECTIVES, "objective") for task in recipe.tasks.values() if task.objective),
    ]
    return [path.rpartition(".")[0] for path in paths]


def architecture_modules(names: Iterable[str]) -> list[str]:
    """Modules of architectures."""
    return [path_of(name, ARCHITECTURES, "architecture").rpartition(".")[0] for name in names]
