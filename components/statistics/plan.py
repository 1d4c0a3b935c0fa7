"""The statistics' part of the recipe. It is small, so few changes of a recipe recompute the statistics."""

from __future__ import annotations

from models.recipe.features import column_types
from models.recipe.recipe import Recipe
from models.recipe.stage_plan import StagePlan


class StatisticsPlan(StagePlan):
    """The part of the recipe that the stage reads.

    `integer_categories`: the columns of whole numbers that are ids, not quantities: their values are counted, too.
    """

    integer_categories: tuple[str, ...] = ()

    @classmethod
    def from_recipe(cls, recipe: Recipe) -> StatisticsPlan:
        """The plan of a recipe; columns in the order of their names, so that a reordered recipe changes nothing."""
        integers = sorted(name for name, kind in column_types(recipe.features).items() if kind == "int")
        return cls(integer_categories=tuple(integers))
