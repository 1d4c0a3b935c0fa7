"""The features stage's part of the recipe, and nothing else: a changed gate or layer must not run the stage again."""

from __future__ import annotations

from collections.abc import Mapping

from components.event_logs.moments import EPOCH, micros
from models.recipe.checks.groups import compares_within_groups
from models.recipe.cross import Cross
from models.recipe.features import Bucketised, Categorical, Feature, MultiValued
from models.recipe.night import Night
from models.recipe.recipe import Recipe
from models.recipe.spans import end_of
from models.recipe.stage_plan import StagePlan
from models.recipe.vector import Vector


class IdsPlan(StagePlan):
    """How the ids of the vocabularies come and go from night to night. Times in microseconds.

    Attributes:
        state: folder of the ancestor's state; "" at a cold start.
        learned_until: impressions before this moment were counted by the ancestor; None at a cold start.
        day: the end of the run's day, since 1970 UTC.
        half_life, forget_after: of `models.recipe.warm.Warm`.
    """

    state: str
    learned_until: int | None
    day: int
    half_life: int
    forget_after: int | None


class FeaturesPlan(StagePlan):
    """The stage's part of the recipe, passed as JSON text.

    `features` in the recipe's order, with their width filled in, and without what only other stages read (side,
    served_as, separator). `tasks`: the names, in the recipe's order. `group_key`: the column of the groups, only if a loss compares
    the examples of a group. `ids`: only with `training.start: warm`.
    """

    features: Mapping[str, Feature]
    tasks: tuple[str, ...]
    group_key: str | None = None
    ids: IdsPlan | None = None

    @classmethod
    def from_recipe(cls, recipe: Recipe, night: Night | None = None) -> FeaturesPlan:
        """The plan for a recipe."""
        return cls(
            features={name: _needed(feature, recipe.model.embedding_dim) for name, feature in recipe.features.items()},
            tasks=tuple(recipe.tasks),
            group_key=recipe.evaluation.group_key if any(map(compares_within_groups, recipe.tasks.values())) else None,
            ids=_ids(recipe, night) if night else None,
        )


def _ids(recipe: Recipe, night: Night) -> IdsPlan:
    warm = recipe.training.warm
    return IdsPlan(
        state=night.state,
        learned_until=night.cursor.until if night.cursor else None,
        day=micros(end_of(recipe) - EPOCH),
        half_life=micros(warm.half_life),
        forget_after=micros(warm.forget_after) if warm.forget_after else None,
    )


def _needed(feature: Feature, dim: int) -> Feature:
    needed: dict[str, object] = {"side": "context"}
    if not isinstance(feature, Cross):
        needed["served_as"] = None
    if isinstance(feature, Categorical | MultiValued | Bucketised | Cross):
        needed["dim"] = feature.dim or dim
    if isinstance(feature, MultiValued):
        needed["separator"] = None
    if isinstance(feature, Vector):
        needed["separator"] = ","
    return feature.model_copy(update=needed)
