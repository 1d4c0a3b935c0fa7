"""The exporter's part of the recipe: request columns and score."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from models.recipe.stage_plan import StagePlan


class InputPlan(StagePlan):
    """One column of a request to the served model. `length`: number of values of a vector."""

    type: Literal["bytes", "int", "float"]
    multivalued: bool
    side: Literal["user", "item", "context"]
    separator: str | None = None
    length: int | None = None


class ServingPlan(StagePlan):
    """The score of the served model."""

    score: str
    weights: Mapping[str, float] = {}
    tunable_weights: bool = False

    @property
    def tunable(self) -> dict[str, float]:
        """Weights that a request may set, with their default values."""
        return dict(self.weights) if self.tunable_weights else {}
