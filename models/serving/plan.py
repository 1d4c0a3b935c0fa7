"""What the exporter needs of the recipe: the columns of a request, and the blend of the tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from models.recipe.stage_plan import StagePlan


class InputPlan(StagePlan):
    """One column of a request to the served model."""

    type: Literal["bytes", "int", "float"]
    multivalued: bool
    side: Literal["user", "item", "context"]
    separator: str | None = None


class ServingPlan(StagePlan):
    """The blend of the tasks that the served model ranks by."""

    score: str
    weights: Mapping[str, float] = {}
    tunable_weights: bool = False

    @property
    def tunable(self) -> dict[str, float]:
        """The weights that a request may give, and their values where it does not."""
        return dict(self.weights) if self.tunable_weights else {}
