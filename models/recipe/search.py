"""The section `search` of a recipe: where `gatewise tune` and `gatewise compare --trials` look for better options."""

from __future__ import annotations

from typing import Any

import pydantic
from pydantic import Field

from models.recipe.section import Real, Scalar, Section


class Range(Section):
    """The values of one key that a search tries: an interval, or a list."""

    low: Real | None = Field(default=None, description="Smallest value.", examples=[0.0003])
    high: Real | None = Field(default=None, description="Largest value.", examples=[0.01])
    log: bool = Field(
        default=False,
        description="Whether the search draws from the logarithms of the interval, so that 0.001 to 0.01 is as likely as 0.01 "
        "to 0.1. `low` must be above 0.",
    )
    integer: bool = Field(default=False, description="Whether only whole numbers are tried.")
    choices: tuple[Scalar, ...] = Field(
        default=(), description="The values to try, in place of an interval.", examples=[[2, 4, 8]]
    )

    @pydantic.model_validator(mode="after")
    def _one_way(self) -> Any:
        if self.choices:
            if self.low is not None or self.high is not None:
                raise ValueError("expected either `choices`, or `low` and `high`")
        elif self.low is None or self.high is None or self.low >= self.high:
            raise ValueError("expected `low` below `high`, or `choices`")
        elif self.log and self.low <= 0:
            raise ValueError("expected `low` above 0 for a logarithmic interval")
        elif self.integer and not (self.low.is_integer() and self.high.is_integer()):
            raise ValueError("expected whole numbers as `low` and `high` of an integer interval")
        return self
