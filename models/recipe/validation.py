"""The section `validation` of a recipe: when the data stop a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import pydantic
from pydantic import Field

from models.recipe.section import Number, Section


class Validation(Section):
    """What must be true of the examples before anything is learned from them."""

    schema_path: str | None = Field(
        default=None,
        alias="schema",
        description="A curated TFDV schema (text proto), relative to the recipe. Without it one is inferred, and only "
        "drift can be found.",
        examples=["shop_schema.pbtxt"],
    )
    on_anomaly: Literal["stop", "warn"] = Field(
        default="stop", description="What a departure from the curated schema does."
    )
    drift: Mapping[str, Annotated[float, Field(gt=0.0), Number]] = Field(
        default={},
        description="Column -> largest distance to the last good run: L-infinity of the shares for texts and ids, "
        "Jensen-Shannon divergence for numbers.",
        examples=[{"device": 0.1}],
    )
    on_drift: Literal["stop", "warn"] = Field(default="stop", description="What a drift beyond its limit does.")

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
