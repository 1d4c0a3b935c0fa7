"""The validation's part of the recipe: whether the schema is curated, the limits of drift, and what stops the run."""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic

from models.recipe.recipe import Recipe
from models.recipe.stage_plan import StagePlan


class ValidationPlan(StagePlan):
    """The part of the recipe that the stage reads.

    `curated`: a person wrote the schema. An inferred schema only repeats the same statistics.
    `drift`: column -> largest distance to the last good run.
    """

    curated: bool = False
    on_anomaly: Literal["stop", "warn"] = "stop"
    drift: dict[str, Annotated[float, pydantic.Field(gt=0.0)]] = pydantic.Field(default={})
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
        )
