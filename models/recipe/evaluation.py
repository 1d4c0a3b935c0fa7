"""The section `evaluation` of a recipe: slices, groups, and the truth of simulated logs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from models.recipe.section import NonEmpty, Number, Section


class Truth(Section):
    """Known true probabilities of simulated logs. The report then shows the gap between the model and the best possible one."""

    path: NonEmpty = Field(
        description="File or glob, relative to `data`. With `logs.span`, it may have the placeholders of the streams; only the files of the "
        "eval split are then read.",
        examples=["truth/*.parquet", "truth/dt={YYYY}-{MM}-{DD}/*.parquet"],
    )
    event_id: NonEmpty = Field(description="Column with the event id of the impression.", examples=["impression_id"])
    columns: Mapping[str, NonEmpty] = Field(
        description="Task -> column with its true probability or mean.", examples=[{"click": "p_click"}]
    )


Reference = Literal["linear", "single_task"]
"""A model that is trained beside the ranker for comparison. The name is that of its architecture."""

SAME: Mapping[str, tuple[str, ...]] = {"linear": ("linear",), "single_task": ("linear", "single_task")}
"""Reference -> the architectures that it equals, because they share no layer among the tasks."""


class NotBelow(Section):
    """How far the model may be below its single-task twin: networks of one task each, with as many parameters in all as the
    model's network. The comparison uses the task's first metric except `calibration`, on the same eval examples.
    """

    tolerance: Annotated[float, Field(ge=0.0, lt=1.0), Number] = Field(
        default=0.002,
        description="Largest allowed loss: for `auc`, `pr_auc` and `gauc` in units of the metric, for `log_loss`, `rmse` and `mae` "
        "as a share of the twin's value.",
        examples=[0.005],
    )
    confidence: Annotated[float, Field(ge=0.5, lt=1.0), Number] = Field(
        default=0.95,
        description="The model is refused if the loss is above `tolerance` with this confidence (one-sided). If the eval split is too "
        "small to tell, the gate passes.",
        examples=[0.99],
    )


class Evaluation(Section):
    """What to measure on the eval split in addition to each task's overall metrics."""

    slices: tuple[tuple[NonEmpty, ...], ...] = Field(
        default=(),
        description="Columns to slice by. Several columns in one entry are crossed.",
        examples=[[["device"], ["device", "country"]]],
    )
    group_key: NonEmpty | None = Field(
        default=None,
        description="Column that groups examples for GAUC, usually the user, and for losses that compare the examples of a group, such as "
        "`jrc`, `ranknet` and `lambda_ndcg`: there better the request.",
        examples=["user_id"],
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
    references: tuple[Reference, ...] = Field(
        default=("linear",),
        description="Models to train beside the ranker for comparison, with the same features, losses, training settings and seed: "
        "`linear`, a linear model of each task, and `single_task`, a network of its own for each task, with as many parameters in all "
        "as the ranker's network. A reference that has the ranker's own architecture is left out. `[]`: none. "
        "With `training.start: warm` there are none.",
        examples=[["linear", "single_task"]],
    )
    not_below_single_task: NotBelow | None = Field(
        default=None,
        description="Gate of every task against negative transfer: the ranker must not be below its single-task twin. It needs "
        "`single_task` in `references`. A task may have its own in `tasks.NAME.not_below_single_task`. By default there is no such "
        "gate. `{}`: the defaults.",
        examples=[{"tolerance": 0.002, "confidence": 0.95}],
    )
    truth: Truth | None = Field(
        default=None,
        description="Known true probabilities of simulated logs.",
        examples=[{"path": "truth/*.parquet", "event_id": "impression_id", "columns": {"click": "p_click"}}],
    )
