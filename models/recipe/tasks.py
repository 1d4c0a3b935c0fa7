"""The section `tasks` of a recipe: what is predicted, how it is measured, and which gates hold it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

from models.recipe.section import NonEmpty, Number, Real, Scalar, Section
from models.recipe.units import Duration


class Gate(Section):
    """A condition that the candidate's eval metric must hold, or it is not blessed. At least one limit.

    A task that names no gates has two: its log_loss (regression: rmse) beats the constant, and its calibration lies within
    [0.5, 2] (regression: where no label is negative).
    """

    metric: str = Field(description="One of the task's metrics.", examples=["auc"])
    at_least: Real | None = Field(default=None, description="Smallest allowed value.", examples=[0.7])
    at_most: Real | None = Field(default=None, description="Largest allowed value.", examples=[1.1])
    beats: Literal["constant"] | None = Field(
        default=None,
        description="What it must be better than, on the same examples: `constant` always answers with the task's mean label "
        "in the train split. For `log_loss`, `rmse` and `mae`.",
        examples=["constant"],
    )
    max_loss_to_baseline: Annotated[float, Field(ge=0.0), Number] | None = Field(
        default=None,
        description="How much worse than the newest blessed model older than the candidate it may be, in the metric's "
        "own unit, both measured on the same examples. Holds, and says so, where there is no such model or it cannot be "
        "asked because a column that it reads is gone.",
        examples=[0.005],
    )
    max_loss_to_best: Annotated[float, Field(ge=0.0), Number] | None = Field(
        default=None,
        description="How much worse than the best value of all blessed models before it may be, in the metric's own unit: "
        "small losses to each night's baseline add up, this one does not move down with them. Each value was measured on "
        "its own run's eval split, and starts anew when the definition of the task, its streams or the kind of split "
        "changes. Holds, and says so, where no value is on record.",
        examples=[0.05],
    )
    slice: Mapping[str, Scalar] = Field(
        default={},
        description="Only these examples: column -> value, one of `evaluation.slices`.",
        examples=[{"device": "phone"}],
    )


def _own_gates(value: Any, handler: pydantic.ValidatorFunctionWrapHandler) -> Any:
    """`none` is no gate at all, which an empty list or an empty value could also be by mistake."""
    if value == "none":
        return ()
    if value is None or value == [] or isinstance(value, str):
        raise ValueError(
            f"expected a list of gates, or `none`; received {value!r}. `gates: none` lets every model of the task pass; "
            "without the key it has the default gates."
        )
    return handler(value)


class Label(Section):
    """Where labelled examples keep a task's label."""

    column: NonEmpty = Field(description="Column with the label.", examples=["income"])
    positive: tuple[Scalar, ...] = Field(
        default=(),
        description="Values that count as 1, all others as 0; without it the column holds numbers. They are compared as "
        "in `where`. A row without a value (empty, null, NaN) is not observed.",
        examples=[["50000+."]],
    )


class Task(Section):
    """One thing to predict of every example."""

    kind: Literal["binary", "regression"] = Field(description="A probability, or a value.", examples=["binary"])
    outcome: str | None = Field(
        default=None, description="The stream whose events are the positives (logs).", examples=["click"]
    )
    window: Duration | None = Field(
        default=None, description="How long after the impression an outcome still counts (logs).", examples=["7d"]
    )
    conditioned_on: str | None = Field(
        default=None,
        description="A binary task that must have happened for this one to be observed: elsewhere the weight is 0.",
        examples=["click"],
    )
    aggregate: Literal["sum", "max"] = Field(
        default="sum", description="Regression: several outcomes of one impression are summed, or the largest counts."
    )
    label: Label | None = Field(
        default=None,
        description="Where the label stands (labelled examples).",
        examples=[{"column": "income", "positive": ["50000+."]}],
    )
    loss: str | None = Field(
        default=None,
        description="What training minimises: a loss of the task's kind, see the table below, or the dotted path of a `Loss` "
        "from outside. By default the first of its kind.",
        examples=["squared_log_error"],
    )
    weight: Annotated[float, Field(gt=0.0), Number] = Field(
        default=1.0, description="Weight of the task's loss among the tasks.", examples=[1.0]
    )
    metrics: tuple[str, ...] | None = Field(
        default=None,
        description="Metrics to report; by default all of its kind. binary: `auc`, `log_loss`, `pr_auc`, `calibration`, "
        "`gauc`. regression: `rmse`, `mae`, `calibration`. `example_count` and `positive_count` always.",
        examples=[["auc", "log_loss"]],
    )
    gates: Annotated[
        tuple[Gate, ...] | None,
        pydantic.WrapValidator(_own_gates, json_schema_input_type=tuple[Gate, ...] | Literal["none"]),
    ] = Field(
        default=None,
        description="What must hold for a push, instead of the default gates: log_loss (regression: rmse) better than that of "
        "the train split's mean label, and calibration within [0.5, 2]. `none`: no gate.",
        examples=[[{"metric": "auc", "at_least": 0.7}]],
    )
    unmeasured: Literal["refuse", "allow"] = Field(
        default="refuse",
        description="What follows when no eval example of the task is observed, so that nothing of it can be measured. "
        "`refuse`: the model is not blessed, whatever the gates. `allow`: it may be, and the task's gates are passed over.",
        examples=["allow"],
    )


DEFAULT_LOSSES = {"binary": "binary_crossentropy", "regression": "squared_error"}
"""{kind: the first loss of the table that is for it}."""


def loss_of(task: Task) -> str:
    """The task's loss, or the default of its kind."""
    return task.loss or DEFAULT_LOSSES[task.kind]


METRICS = {
    "binary": ("auc", "log_loss", "pr_auc", "calibration", "gauc"),
    "regression": ("rmse", "mae", "calibration"),
}


COUNTS = ("example_count", "positive_count")


LOWER_IS_BETTER = ("log_loss", "rmse", "mae")


def metrics_of(task: Task) -> tuple[str, ...]:
    """The metrics that the task reports; the counts, which every task reports, are not among them."""
    return task.metrics if task.metrics is not None else METRICS[task.kind]
