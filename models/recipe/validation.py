"""The section `validation` of a recipe: conditions on the data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import pydantic
from pydantic import Field

from models.recipe.section import Number, Section


class Validation(Section):
    """Conditions that the examples must meet before training."""

    schema_path: str | None = Field(
        default=None,
        alias="schema",
        description="Curated TFDV schema (text proto), relative to the recipe. Without it, the schema is inferred and only "
        "drift can be detected.",
        examples=["shop_schema.pbtxt"],
    )
    on_anomaly: Literal["stop", "warn"] = Field(
        default="stop", description="What to do if the examples deviate from the curated schema."
    )
    drift: Mapping[str, Annotated[float, Field(gt=0.0), Number]] = Field(
        default={},
        description="Column -> largest allowed distance to the last good run: the L-infinity distance of the value shares for "
        "texts and ids, the Jensen-Shannon divergence for numbers.",
        examples=[{"device": 0.1}],
    )
    drift_from: Literal["last", "weekday"] = Field(
        default="last",
        description="With which good run the statistics are compared: the last one, or, with `logs.span`, the newest one of the same weekday "
        "(of `span: 1h`, the same hour of the week). Without such a run there is no check of drift.",
        examples=["weekday"],
    )
    on_drift: Literal["stop", "warn"] = Field(default="stop", description="What to do if a drift exceeds its limit.")

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
