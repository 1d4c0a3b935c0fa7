"""What every section of a recipe is made of."""

from __future__ import annotations

from typing import Annotated

import pydantic
from pydantic import Field

DATA = "data"
"""`format`, in the JSON Schema, of a value that is compared with the data's: its text matters (007 is no 7)."""

Scalar = Annotated[
    str | int | float | bool,
    pydantic.WithJsonSchema({"type": ["string", "integer", "number", "boolean"], "format": DATA}),
]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=80)]


class Section(pydantic.BaseModel):
    """Frozen, and unknown keys are refused."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", strict=False, allow_inf_nan=False)
