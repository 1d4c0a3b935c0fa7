"""What the probe needs of the recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import pydantic

from models.recipe import Recipe


class ProbePlan(pydantic.BaseModel):
    """The probe's part of the recipe; travels as JSON text in the exec property `plan`."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    tasks: Mapping[str, Literal["binary", "regression"]]
    tolerance: float

    @classmethod
    def from_recipe(cls, recipe: Recipe) -> ProbePlan:
        """The plan for a recipe; which requests are asked stands beside the exported model."""
        return cls(tasks={name: task.kind for name, task in recipe.tasks.items()}, tolerance=recipe.serving.tolerance)
