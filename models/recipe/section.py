"""Base class and field types of the sections of a recipe."""

from __future__ import annotations

from typing import Annotated

import pydantic
from pydantic import Field

DATA = "data"
"""JSON Schema `format` of a value that is compared with the data. Its text matters: 007 is not 7."""

Scalar = Annotated[
    str | int | float | bool,
    pydantic.WithJsonSchema({"type": ["string", "integer", "number", "boolean"], "format": DATA}),
]


def _no_truth_value(value: object) -> object:
    """Refuses a truth value as a number: YAML 1.1 reads `yes` and `on` as true, which Python would accept as 1."""
    if isinstance(value, bool):
        raise ValueError(f"expected a number, received the truth value {str(value).lower()}")
    return value


def _no_nul(name: str) -> str:
    if "\0" in name:
        raise ValueError("expected a name without the character U+0000, which files and Arrow columns do not allow")
    return name


Number = pydantic.BeforeValidator(_no_truth_value)
"""Write it after the range of a number, so that the JSON Schema keeps the range: Annotated[int, Field(ge=1), Number]."""

Real = Annotated[float, Number]
NonEmpty = Annotated[str, Field(min_length=1), pydantic.AfterValidator(_no_nul)]
"""Name of a column or of files: any non-empty text."""

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=80)]


class Section(pydantic.BaseModel):
    """Base of all sections: frozen; refuses unknown keys."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", strict=False, allow_inf_nan=False)
