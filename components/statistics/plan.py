"""What the statistics need to know of the recipe: next to nothing, so next to no change of a recipe recomputes them."""

from __future__ import annotations

import pydantic

from models.recipe import Recipe, feature_columns, raw_type


class StatisticsPlan(pydantic.BaseModel):
    """The part of the recipe that the stage reads.

    `integer_categories`: the columns of whole numbers that are ids, not quantities: their values are counted, too.
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    integer_categories: tuple[str, ...] = ()

    @classmethod
    def from_recipe(cls, recipe: Recipe) -> StatisticsPlan:
        """The plan of a recipe; columns in the order of their names, so that a reordered recipe changes nothing."""
        columns = feature_columns(recipe.features)
        integers = sorted(name for name, feature in columns.items() if raw_type(feature) == "int")
        return cls(integer_categories=tuple(integers))
