"""The evaluation's part of the recipe: metrics and gates of the tasks, slices, groups, and the truth if it is known."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Literal

import pydantic

from models.recipe.recipe import Recipe
from models.recipe.section import Scalar
from models.recipe.spans import eval_spans, paths_of, placeholders
from models.recipe.stage_plan import StagePlan
from models.recipe.tasks import METRICS, Task, metrics_of
from models.recipe.units import format_duration


class GatePlan(StagePlan):
    """A gate, like `models.recipe.Gate`."""

    metric: str
    at_least: float | None = None
    at_most: float | None = None
    beats: Literal["constant"] | None = None
    max_loss_to_baseline: float | None = None
    max_loss_to_best: float | None = None
    slice: dict[str, Scalar] = pydantic.Field(default={})
    default: bool = False
    """Whether it is a default gate of a task without gates."""


class NotBelowPlan(StagePlan):
    """The gate against the single-task twin, like `models.recipe.NotBelow`, and the metric to compare."""

    metric: str
    tolerance: float
    confidence: float


# Keys that change from night to night for an unchanged problem: paths and fixed times.
_MOVES = {
    "streams": {"path", "format", "user", "may_be_empty"},
    "examples": {"path", "validate_path", "eval_path", "format", "limits"},
}

# The metric that compares a model with the constant.
AGAINST_CONSTANT = {"binary": "log_loss", "regression": "rmse"}


def default_gates(kind: Literal["binary", "regression"]) -> tuple[GatePlan, ...]:
    """The gates of a task without gates."""
    return (
        GatePlan(metric=AGAINST_CONSTANT[kind], beats="constant", default=True),
        GatePlan(metric="calibration", at_least=0.5, at_most=2.0, default=True),
    )


class TaskPlan(StagePlan):
    """The metrics and gates of one task.

    `window`: the recipe's window as text. `definition`: two values are comparable if it is equal (`definition_of`).
    """

    kind: Literal["binary", "regression"]
    metrics: tuple[str, ...]
    gates: tuple[GatePlan, ...] = ()
    not_below_single_task: NotBelowPlan | None = None
    unmeasured: Literal["refuse", "allow"] = "refuse"
    window: str = ""
    definition: str = ""


class TruthPlan(StagePlan):
    """The truth, like `models.recipe.Truth`, with the folder to which `paths` are relative: one for each span of the eval split."""

    data: str
    paths: tuple[str, ...]
    event_id: str
    columns: dict[str, str]

    @classmethod
    def from_recipe(cls, recipe: Recipe) -> TruthPlan | None:
        """The truth of a recipe; None if it has none."""
        truth = recipe.evaluation.truth
        if truth is None:
            return None
        paths = paths_of(truth.path, eval_spans(recipe)) if placeholders(truth.path) else (truth.path,)
        return cls(data=recipe.data, paths=paths, event_id=truth.event_id, columns=dict(truth.columns))


class EvaluationPlan(StagePlan):
    """The part of the recipe that the stage reads."""

    tasks: dict[str, TaskPlan]
    slices: tuple[tuple[str, ...], ...] = ()
    group_key: str | None = None
    max_slice_values: int = 100
    min_slice_examples: int = 100
    truth: TruthPlan | None = None

    @classmethod
    def from_recipe(cls, recipe: Recipe) -> EvaluationPlan:
        """The plan of a recipe. Without `group_key` there is no GAUC."""
        evaluation = recipe.evaluation
        tasks = {
            name: TaskPlan(
                kind=task.kind,
                metrics=tuple(metric for metric in metrics_of(task) if metric != "gauc" or evaluation.group_key),
                gates=_gates(task),
                not_below_single_task=_not_below(recipe, task),
                unmeasured=task.unmeasured,
                window=format_duration(task.window) if task.window else "",
                definition=definition_of(recipe, name),
            )
            for name, task in recipe.main_tasks.items()
        }
        return cls(
            tasks=tasks,
            slices=evaluation.slices,
            group_key=evaluation.group_key,
            max_slice_values=evaluation.max_slice_values,
            min_slice_examples=evaluation.min_slice_examples,
            truth=TruthPlan.from_recipe(recipe),
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """Raw columns that slices, gates and groups read, each once."""
        names = [name for entry in self.slices for name in entry]
        names += [name for task in self.tasks.values() for gate in task.gates for name in gate.slice]
        names += [self.group_key] if self.group_key else []
        return tuple(dict.fromkeys(names))


def _gates(task: Task) -> tuple[GatePlan, ...]:
    if task.gates is None:
        return default_gates(task.kind)
    return tuple(GatePlan.model_validate(gate.model_dump()) for gate in task.gates)


def _not_below(recipe: Recipe, task: Task) -> NotBelowPlan | None:
    """The gate of a task. None if it has none, or if the model is its own twin."""
    gate = task.not_below_single_task or recipe.evaluation.not_below_single_task
    if gate is None or "single_task" not in recipe.references:
        return None
    return NotBelowPlan(metric=compared_metric(task.kind, metrics_of(task)), **gate.model_dump())


def compared_metric(kind: Literal["binary", "regression"], metrics: Sequence[str]) -> str:
    """The metric by which models are compared: the task's first, but not calibration, in which a constant is good."""
    return next((metric for metric in metrics if metric != "calibration"), METRICS[kind][0])


def truth_fingerprint(recipe: Recipe) -> str:
    """Fingerprint of the truth files' content, because TFX's cache does not read them; "" without truth.

    Raises:
        InputError: no file matches the truth's path.
    """
    truth = TruthPlan.from_recipe(recipe)
    if truth is None:
        return ""
    from components.event_logs.fingerprint import fingerprint_files

    return fingerprint_files(truth.data, {"evaluation.truth": truth.paths})


def definition_of(recipe: Recipe, task: str) -> str:
    """Fingerprint of the definition of a task's labels and of the eval split: 16 hexadecimal digits.

    Two runs' values of a task are comparable if it is equal. It covers, for the task and for the tasks it is `conditioned_on`:
    kind, outcome, window, aggregate, label, above, match; for the task alone, its weight_column. For the data: the streams or the
    labelled examples without their paths, and the key of the split with its value unless that is a fixed time. It does not cover
    the rows, which change every night.
    """
    examples, logs, split = recipe.examples, recipe.logs, recipe.split
    weight = recipe.tasks[task].weight_column
    meaning = {
        "task": {**_labels(recipe, task), **({} if weight is None else {"weight_column": weight})},
        "examples": examples and examples.model_dump(mode="json", exclude=_MOVES["examples"]),
        "logs": logs
        and {
            "impressions": logs.impressions,
            "streams": {
                name: stream.model_dump(mode="json", exclude=_MOVES["streams"])
                for name, stream in sorted(logs.streams.items())
            },
        },
        "split": {
            "eval_fraction": split.eval_fraction,
            "eval_last": split.eval_last and split.eval_last.total_seconds(),
            "eval_from": split.eval_from is not None,
        },
    }
    return hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).hexdigest()[:16]


def _labels(recipe: Recipe, task: str) -> dict[str, Any]:
    about = recipe.tasks[task]
    own = about.model_dump(mode="json", include={"kind", "outcome", "aggregate", "label"})
    window = about.window and about.window.total_seconds()
    given = about.conditioned_on and about.conditioned_on in recipe.tasks and _labels(recipe, about.conditioned_on)
    above = {} if about.above is None else {"above": about.above}
    match = {} if about.match == "key" else {"match": about.match}
    return {**own, **above, **match, "window": window, "conditioned_on": given}
