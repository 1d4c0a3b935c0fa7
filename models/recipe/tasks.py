"""The section `tasks` of a recipe: prediction targets, metrics and gates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

from models.recipe.evaluation import NotBelow
from models.recipe.section import NonEmpty, Number, Real, Scalar, Section
from models.recipe.units import Duration


class Gate(Section):
    """A condition on an eval metric of the candidate, the model that this run trained.

    A candidate that fails a gate is not blessed, and only a blessed model is pushed. Set at least one limit. A task
    without `gates` uses two default gates: its log_loss (regression: rmse) must be better than that of the constant
    (see `beats`), and its calibration must be within [0.5, 2] (regression: only if no label is negative).
    """

    metric: str = Field(description="One of the task's metrics.", examples=["auc"])
    at_least: Real | None = Field(default=None, description="Smallest allowed value.", examples=[0.7])
    at_most: Real | None = Field(default=None, description="Largest allowed value.", examples=[1.1])
    beats: Literal["constant"] | None = Field(
        default=None,
        description="Reference that the candidate must be better than on the same examples. `constant` predicts the task's "
        "mean label in the train split for every example. It applies to `log_loss`, `rmse` and `mae`.",
        examples=["constant"],
    )
    max_loss_to_baseline: Annotated[float, Field(ge=0.0), Number] | None = Field(
        default=None,
        description="How much worse than the baseline the candidate may be, in the unit of the metric. The baseline is the "
        "newest blessed model older than the candidate, measured on the same examples. `calibration` is worse the "
        "farther it is from 1. If there is no baseline, "
        "or it cannot predict because a column that it reads is gone, the gate passes and reports it.",
        examples=[0.005],
    )
    max_loss_to_best: Annotated[float, Field(ge=0.0), Number] | None = Field(
        default=None,
        description="How much worse than the best value of all earlier blessed models the candidate may be, in the unit of "
        "the metric. A model may be a little worse than its baseline every night, and these losses add up; this limit "
        "stops them. Each value was measured on the eval split of its own run. The record starts anew if the definition of "
        "the task, its streams or the kind of split changes. If no value is on record, the gate passes and "
        "reports it.",
        examples=[0.05],
    )
    slice: Mapping[str, Scalar] = Field(
        default={},
        description="Restricts the gate to the examples of one slice: column -> value. The slice must be one of "
        "`evaluation.slices`.",
        examples=[{"device": "phone"}],
    )


def _own_gates(value: Any, handler: pydantic.ValidatorFunctionWrapHandler) -> Any:
    """Reads `none` as no gates and `default` as the default gates. Refuses an empty list or value, which may be a mistake."""
    if value == "none":
        return ()
    if value == "default":
        return None
    if value is None or value == [] or isinstance(value, str):
        raise ValueError(
            f"expected a list of gates, `none` or `default`; received {value!r}. `gates: none` lets every model of the task pass; "
            "without the key it has the default gates."
        )
    return handler(value)


def _written_gates(value: tuple[Gate, ...] | None, handler: pydantic.SerializerFunctionWrapHandler) -> Any:
    """What `_own_gates` reads as the same gates."""
    return "default" if value is None else handler(value) if value else "none"


class Label(Section):
    """The label of a task in a column of the examples: of labelled examples, or of the impressions."""

    column: NonEmpty = Field(
        description="Column with the label. With logs, a column of the impressions. A feature may read the same column only if "
        "the task is auxiliary.",
        examples=["income"],
    )
    positive: tuple[Scalar, ...] = Field(
        default=(),
        description="Values that count as 1; all other values count as 0. Without this key the column must contain numbers, 0 and 1 "
        "for a binary task without `above`. "
        "The values are compared as in `where`. A row without a value (empty, null, NaN) is not observed.",
        examples=[["50000+."]],
    )


class Task(Section):
    """One prediction target."""

    kind: Literal["binary", "regression"] = Field(
        description="`binary` predicts a probability, `regression` a value.", examples=["binary"]
    )
    role: Literal["main", "auxiliary", "adversarial"] = Field(
        default="main",
        description="`auxiliary`: the task is trained with the others because it may help them, and is neither measured, exported nor "
        "served. It does not decide when training stops, and the references are trained without it. `adversarial`: like "
        "`auxiliary`, but the network learns to hide the label: what the last layers of the main tasks read comes to say nothing "
        "about it. `weight` is how much that counts.",
        examples=["auxiliary"],
    )
    outcome: str | None = Field(
        default=None,
        description="With logs: the stream whose events are the task's outcomes. An impression with an outcome is a positive.",
        examples=["click"],
    )
    window: Duration | None = Field(
        default=None,
        description="With logs: attribution window, the longest time from the impression to an outcome that still counts.",
        examples=["7d"],
    )
    match: Literal["key", "user"] = Field(
        default="key",
        description="With logs: which outcomes belong to an impression. `key`: those credited to it, the last impression with their "
        "key. `user`: every event of the stream `outcome` by the same user, whatever the item, after the impression and within "
        "`window`; it counts for all earlier impressions of the user. It is a label for training only, such as `comes back within "
        "a day`, so it needs `role: auxiliary`, and `user` in both streams. `outcome` may then be the impression stream.",
        examples=["user"],
    )
    conditioned_on: str | None = Field(
        default=None,
        description="Binary task that must be positive for this task to be observed. Examples without that positive are masked: "
        "they get weight 0.",
        examples=["click"],
    )
    after: str | None = Field(
        default=None,
        description="The task before this one in the funnel, such as a click before an order. Architectures for funnels, such as "
        "`aitm`, read this key. It masks no examples. By default the task in `conditioned_on`.",
        examples=["click"],
    )
    descriptor: Annotated[tuple[Real, ...], Field(max_length=1024)] = Field(
        default=(),
        description="Numbers that describe the task, as many as in every other task. The architecture `task_conditioned` "
        "reads them. Without the key in all tasks it tells the tasks apart by their position.",
        examples=[[0.2, 1.0]],
    )
    aggregate: Literal["sum", "max"] = Field(
        default="sum",
        description="Regression, or with `above`: how the values of several outcomes of one impression become one number.",
    )
    above: Real | None = Field(
        default=None,
        description="Binary task over a number: the label is 1 if the number is greater than this one, else 0. The number is that "
        "of a regression task with the same keys: the sum or maximum (`aggregate`) of the outcomes' `value`, 0 without an "
        "outcome, or the number in the column `label`. Both are compared as 32-bit floats. For labels such as `watched more than "
        "30 seconds` and for quantised copies of a regression task with `role: auxiliary`.",
        examples=[30.0],
    )
    label: Label | None = Field(
        default=None,
        description="Column with the label, with labelled examples or with logs. With logs it is a column of the impressions and "
        "replaces `outcome` and `window`: use it for what is known with the impression, such as a logged dwell time, or, with "
        "`role: auxiliary`, for an input that the shared layers shall keep, such as the price. An example with a value is "
        "observed at once.",
        examples=[{"column": "income", "positive": ["50000+."]}],
    )
    loss: str | None = Field(
        default=None,
        description="Loss of the task: a name from the table [Losses](#losses) with the task's kind, or the dotted path of a "
        "[class of your own](#methods-of-your-own). By default `binary_crossentropy` or `squared_error`.",
        examples=["squared_log_error"],
    )
    loss_options: Mapping[str, Mapping[str, Any]] = Field(
        default={},
        description="Options by loss. Only those of the task's loss apply.",
        examples=[{"quantile": {"quantile": 0.9}}],
    )
    objective: str | None = Field(
        default=None,
        description="What the task is trained on, if it is `conditioned_on` another one: a name from the table "
        "[Objectives](#objectives), or the dotted path of a [class of your own](#methods-of-your-own). By default its own loss on the "
        "examples that have the task before it. The served value, validation, metrics and gates stay the same.",
        examples=["esmm"],
    )
    objective_options: Mapping[str, Mapping[str, Any]] = Field(
        default={},
        description="Options by objective. Only those of the task's objective apply.",
        examples=[{"escm2": {"risk": "dr"}}],
    )
    weight: Annotated[float, Field(gt=0.0), Number] = Field(
        default=1.0, description="Weight of the task's loss in the total loss.", examples=[1.0]
    )
    weight_column: NonEmpty | None = Field(
        default=None,
        description="Column with the weight of each example in this task, with labelled examples or with logs (a column of the "
        "impressions): a number of at least 0, such as an inverse propensity or the inverse rate of a sample. It multiplies the "
        "example's part in the task's loss and metrics, and the [weight of the example](logs.md#weights-of-examples) if there is one. "
        "Only ratios of weights matter. With a weight of 0 or without a value the task is not observed. A row with another value "
        "is a dead letter. No feature may read the column. By default every example has weight 1.",
        examples=["inverse_propensity"],
    )
    negative_rate: Annotated[float, Field(gt=0.0, le=1.0), Number] = Field(
        default=1.0,
        description="Binary task: share of the negatives to train on. A hash of `training.seed` and the example chooses "
        "them; the others are not observed in training. A row that no task observes is left out, which saves time. After training "
        "ln(negative_rate) is added to the logit, so that probabilities stay calibrated. Validation and evaluation use all negatives. "
        "Needs a loss whose logit is the log odds, such as `binary_crossentropy` without `label_smoothing`. See "
        "[What tasks learn](learning.md#a-share-of-the-negatives).",
        examples=[0.1],
    )
    metrics: tuple[str, ...] | None = Field(
        default=None,
        description="Metrics to report. binary: `auc`, `log_loss`, `pr_auc`, `calibration`, `gauc`. regression: `rmse`, "
        "`mae`, `calibration`. By default all of the kind. `calibration` is the sum of the predictions divided by the "
        "sum of the labels. `gauc` is the mean AUC within the groups of `evaluation.group_key`, weighted by "
        "examples. `example_count` and `positive_count` are always "
        "reported.",
        examples=[["auc", "log_loss"]],
    )
    gates: Annotated[
        tuple[Gate, ...] | None,
        pydantic.WrapValidator(_own_gates, json_schema_input_type=tuple[Gate, ...] | Literal["none", "default"]),
        pydantic.WrapSerializer(_written_gates),
    ] = Field(
        default=None,
        description="Conditions for a push. They replace the default gates: log_loss (regression: rmse) better than that of "
        "the train split's mean label, and calibration within [0.5, 2]. `none`: no gates. `default`: the default gates.",
        examples=[[{"metric": "auc", "at_least": 0.7}]],
    )
    not_below_single_task: NotBelow | None = Field(
        default=None,
        description="Gate of this task against negative transfer. It replaces `evaluation.not_below_single_task`.",
        examples=[{"tolerance": 0.01}],
    )
    unmeasured: Literal["refuse", "allow"] = Field(
        default="refuse",
        description="What to do if no eval example of the task is observed, so that the task cannot be measured. `refuse`: "
        "the model is not blessed, whatever the gates. `allow`: the gates of the task are skipped, and the model "
        "may be blessed.",
        examples=["allow"],
    )


def after_of(task: Task) -> str | None:
    """The task before this one in the funnel."""
    return task.after or task.conditioned_on


def funnel_of(name: str, tasks: Mapping[str, Task]) -> tuple[str, ...]:
    """The tasks before a conditioned task, from the first to the one that it is conditioned on. Ends at an unknown task or a cycle."""
    found: list[str] = []
    link = tasks[name].conditioned_on
    while link is not None and link in tasks and link not in (*found, name):
        found.append(link)
        link = tasks[link].conditioned_on
    return tuple(reversed(found))


def unmeasured_of(task: Task) -> Literal["refuse", "allow"]:
    """What to do if no eval example of the task is observed. An auxiliary task is not measured."""
    return task.unmeasured if task.role == "main" else "allow"


def reads_numbers(task: Task) -> bool:
    """Whether the task's label is made of numbers."""
    return task.kind == "regression" or task.above is not None


DEFAULT_LOSSES = {"binary": "binary_crossentropy", "regression": "squared_error"}
"""{kind: first loss of the table for this kind}."""


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
    """Metrics of a task, without the counts, which every task reports."""
    return task.metrics if task.metrics is not None else METRICS[task.kind]
