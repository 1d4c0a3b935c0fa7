"""What a stage needs of the recipe: its plan travels by value, so that an unrelated change does not run the stage again."""

from __future__ import annotations

import pydantic


class StagePlan(pydantic.BaseModel):
    """The base of every plan and of its parts: frozen, and unknown keys are refused."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")
