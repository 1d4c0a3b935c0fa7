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


def _no_truth_value(value: object) -> object:
    """`yes` and `on` are the truth value true in YAML 1.1, and true is 1 in Python: as a number it is a mistake."""
    if isinstance(value, bool):
        raise ValueError(f"expected a number, received the truth value {str(value).lower()}")
    return value


def _no_nul(name: str) -> str:
    if "\0" in name:
        raise ValueError("expected a name without the character U+0000, which neither files nor Arrow's columns have")
    return name


Number = pydantic.BeforeValidator(_no_truth_value)
"""Stands behind the range of a number, so that the JSON Schema keeps it: Annotated[int, Field(ge=1), Number]."""

Real = Annotated[float, Number]
NonEmpty = Annotated[str, Field(min_length=1), pydantic.AfterValidator(_no_nul)]
"""The name of a column, or of files: any text but an empty one, which would count as none at all."""

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=80)]


class Section(pydantic.BaseModel):
    """Frozen, and unknown keys are refused."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", strict=False, allow_inf_nan=False)
