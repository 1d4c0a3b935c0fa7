"""What every section of a recipe is made of."""

from __future__ import annotations

from typing import Annotated

import pydantic
from pydantic import Field

Scalar = str | int | float | bool
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=80)]


class Section(pydantic.BaseModel):
    """Frozen, and unknown keys are refused."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", strict=False, allow_inf_nan=False)
