"""The plan of a stage: its part of the recipe, passed by value, so that an unrelated change does not rerun the stage."""

from __future__ import annotations

import pydantic


class StagePlan(pydantic.BaseModel):
    """Base of all plans and their parts: frozen; refuses unknown keys."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")
