"""The validation's part of the recipe: whether the schema is curated, the limits of drift, and what stops the run."""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic

from models.recipe.recipe import Recipe
from models.recipe.spans import HOURS
from models.recipe.stage_plan import StagePlan


class ValidationPlan(StagePlan):
    """The part of the recipe that the stage reads.

    `curated`: a person wrote the schema. An inferred schema only repeats the same statistics.
    `drift`: column -> largest distance to the last good run. `every`: see `drift_every`.
    """

    curated: bool = False
    on_anomaly: Literal["stop", "warn"] = "stop"
    drift: dict[str, Annotated[float, pydantic.Field(gt=0.0)]] = pydantic.Field(default={})
    every: int = 0
    on_drift: Literal["stop", "warn"] = "stop"

    @classmethod
    def from_recipe(cls, recipe: Recipe) -> ValidationPlan:
        """The plan of a recipe."""
        validation = recipe.validation
        return cls(
            curated=validation.schema_path is not None,
            on_anomaly=validation.on_anomaly,
            drift=dict(sorted(validation.drift.items())),
            on_drift=validation.on_drift,
            every=drift_every(recipe),
        )


def drift_every(recipe: Recipe) -> int:
    """Statistics are compared with those of a span that is a multiple of so many spans before: a week. 0: of the last good run."""
    if recipe.validation.drift_from == "last" or recipe.logs is None or recipe.logs.span is None:
        return 0
    return 7 * 24 // HOURS[recipe.logs.span]
