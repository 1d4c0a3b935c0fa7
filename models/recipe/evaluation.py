"""The section `evaluation` of a recipe: slices, groups, and the truth of simulated logs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from models.recipe.section import NonEmpty, Number, Section


class Truth(Section):
    """Known true probabilities (simulated logs): the report then says how far the model is from the best possible."""

    path: NonEmpty = Field(description="File or glob, relative to `data`.", examples=["truth/*.parquet"])
    event_id: NonEmpty = Field(description="Column with the impression's event id.", examples=["impression_id"])
    columns: Mapping[str, NonEmpty] = Field(
        description="Task -> column with its true probability or mean.", examples=[{"click": "p_click"}]
    )


class Evaluation(Section):
    """What is measured on the eval split besides each task's metrics overall."""

    slices: tuple[tuple[NonEmpty, ...], ...] = Field(
        default=(),
        description="Columns whose values make slices; several columns in one entry are crossed.",
        examples=[[["device"], ["device", "country"]]],
    )
    group_key: NonEmpty | None = Field(
        default=None, description="Column that groups examples for GAUC, mostly the user.", examples=["user_id"]
    )
    max_slice_values: Annotated[int, Field(ge=1), Number] = Field(
        default=100, description="Most values of one slice entry that are reported: those with the most examples."
    )
    truth: Truth | None = Field(
        default=None,
        description="Known true probabilities, of simulated logs.",
        examples=[{"path": "truth/*.parquet", "event_id": "impression_id", "columns": {"click": "p_click"}}],
    )
