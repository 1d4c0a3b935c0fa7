"""The section `evaluation` of a recipe: slices, groups, and the truth of simulated logs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from models.recipe.section import NonEmpty, Number, Section


class Truth(Section):
    """Known true probabilities of simulated logs. The report then shows the gap between the model and the best possible one."""

    path: NonEmpty = Field(description="File or glob, relative to `data`.", examples=["truth/*.parquet"])
    event_id: NonEmpty = Field(description="Column with the event id of the impression.", examples=["impression_id"])
    columns: Mapping[str, NonEmpty] = Field(
        description="Task -> column with its true probability or mean.", examples=[{"click": "p_click"}]
    )


class Evaluation(Section):
    """What to measure on the eval split in addition to each task's overall metrics."""

    slices: tuple[tuple[NonEmpty, ...], ...] = Field(
        default=(),
        description="Columns to slice by. Several columns in one entry are crossed.",
        examples=[[["device"], ["device", "country"]]],
    )
    group_key: NonEmpty | None = Field(
        default=None, description="Column that groups examples for GAUC, usually the user.", examples=["user_id"]
    )
    max_slice_values: Annotated[int, Field(ge=1), Number] = Field(
        default=100,
        description="Maximum number of values reported per entry of `slices`: those with the most examples.",
    )
    min_slice_examples: Annotated[int, Field(ge=0), Number] = Field(
        default=100,
        description="A slice with fewer observed examples of a task, or with fewer than 10 of a class, is marked `few`: it gets no "
        "intervals and is not ranked. Gates are not affected.",
    )
    truth: Truth | None = Field(
        default=None,
        description="Known true probabilities of simulated logs.",
        examples=[{"path": "truth/*.parquet", "event_id": "impression_id", "columns": {"click": "p_click"}}],
    )
