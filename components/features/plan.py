"""The features stage's part of the recipe, and nothing else: a changed gate or layer must not run the stage again."""

from __future__ import annotations

from collections.abc import Mapping

from models.recipe.checks.groups import compares_within_groups
from models.recipe.features import Bucketised, Categorical, Feature, MultiValued
from models.recipe.recipe import Recipe
from models.recipe.stage_plan import StagePlan


class FeaturesPlan(StagePlan):
    """The stage's part of the recipe, passed as JSON text.

    `features` in the recipe's order, with their width filled in, and without what only other stages read (side,
    served_as, separator). `tasks`: the names, in the recipe's order. `group_key`: the column of the groups, only if a loss compares
    the examples of a group.
    """

    features: Mapping[str, Feature]
    tasks: tuple[str, ...]
    group_key: str | None = None

    @classmethod
    def from_recipe(cls, recipe: Recipe) -> FeaturesPlan:
        """The plan for a recipe."""
        return cls(
            features={name: _needed(feature, recipe.model.embedding_dim) for name, feature in recipe.features.items()},
            tasks=tuple(recipe.tasks),
            group_key=recipe.evaluation.group_key if any(map(compares_within_groups, recipe.tasks.values())) else None,
        )


def _needed(feature: Feature, dim: int) -> Feature:
    needed: dict[str, object] = {"side": "context", "served_as": None}
    if isinstance(feature, Categorical | MultiValued | Bucketised):
        needed["dim"] = feature.dim or dim
    if isinstance(feature, MultiValued):
        needed["separator"] = None
    return feature.model_copy(update=needed)
