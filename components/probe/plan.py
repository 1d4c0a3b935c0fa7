"""The probe's part of the recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from models.recipe.features import quantities
from models.recipe.recipe import Recipe
from models.recipe.stage_plan import StagePlan


class ProbePlan(StagePlan):
    """The probe's part of the recipe, passed as JSON text in the exec property `plan`.

    `quantities`: the columns of integers that a feature reads as numbers too.
    """

    tasks: Mapping[str, Literal["binary", "regression"]]
    tolerance: float
    score: str
    weights: Mapping[str, float] = {}
    page: int = 500
    quantities: tuple[str, ...] = ()
    max_latency_ms: float | None = None
    max_size_mib: float | None = None

    @classmethod
    def from_recipe(cls, recipe: Recipe) -> ProbePlan:
        """The plan of a recipe. The example ids of the requests are stored with the exported model."""
        serving = recipe.serving
        return cls(
            tasks={name: task.kind for name, task in recipe.main_tasks.items()},
            tolerance=serving.tolerance,
            score=serving.score or next(iter(recipe.main_tasks)),
            weights=serving.weights,
            page=serving.page,
            quantities=quantities(recipe.features),
            max_latency_ms=serving.max_latency_ms,
            max_size_mib=serving.max_size_mib,
        )
