"""The section `training.warm` of a recipe: how a night goes on from the model of an earlier one."""

from __future__ import annotations

import datetime
from typing import Annotated

from pydantic import Field

from models.recipe.section import Number, Section
from models.recipe.units import Duration


class Warm(Section):
    """How a run with `start: warm` goes on from the newest pushed model of an earlier day."""

    cold_every: Duration | None = Field(
        default=None,
        description="Time from one cold start to the next: the first day that is this long after the last cold start begins again from "
        "`split.train_last`. By default only a run without an ancestor starts cold.",
        examples=["7d"],
    )
    epochs: Annotated[int, Field(ge=1), Number] = Field(
        default=1,
        description="Maximum number of passes of a warm run over its train split, which holds only what the ancestor has not learned "
        "from. Takes the place of `epochs`.",
    )
    half_life: Duration = Field(
        default=datetime.timedelta(days=14),
        description="Time in which the count of an id falls to a half. `min_count` of a feature and the choice of the ids that lose "
        "their rows compare these counts.",
        examples=["14d"],
    )
    forget_after: Duration | None = Field(
        default=None,
        description="An id that was not seen for this long loses its row first when new ids need rows; then the ids with the smallest "
        "counts do. By default only the counts decide.",
        examples=["30d"],
    )
