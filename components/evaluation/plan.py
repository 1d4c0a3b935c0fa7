"""What the evaluation needs of the recipe: metrics and gates of the tasks, slices, groups and the truth, if it is known."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal

import pydantic

from models.recipe.recipe import Recipe
from models.recipe.section import Scalar
from models.recipe.stage_plan import StagePlan
from models.recipe.tasks import Task, metrics_of
from models.recipe.units import format_duration


class GatePlan(StagePlan):
    """As `models.recipe.Gate`."""

    metric: str
    at_least: float | None = None
    at_most: float | None = None
    beats: Literal["constant"] | None = None
    max_loss_to_baseline: float | None = None
    max_loss_to_best: float | None = None
    slice: dict[str, Scalar] = pydantic.Field(default={})
    default: bool = False
    """Nobody wrote it: the task names no gates."""


# By which metric a model is compared with the constant.
# What moves from night to night in an unchanged problem: where the files lie, and fixed moments.
_MOVES = {"streams": {"path", "format"}, "examples": {"path", "eval_path", "format", "limits"}}

AGAINST_CONSTANT = {"binary": "log_loss", "regression": "rmse"}


def default_gates(kind: Literal["binary", "regression"]) -> tuple[GatePlan, ...]:
    """The gates of a task that names none."""
    return (
        GatePlan(metric=AGAINST_CONSTANT[kind], beats="constant", default=True),
        GatePlan(metric="calibration", at_least=0.5, at_most=2.0, default=True),
    )


class TaskPlan(StagePlan):
    """One task: what to measure, and what must hold.

    `window`: of the recipe, in words. `definition`: two values are comparable where it is the same (`definition_of`).
    """

    kind: Literal["binary", "regression"]
    metrics: tuple[str, ...]
    gates: tuple[GatePlan, ...] = ()
    unmeasured: Literal["refuse", "allow"] = "refuse"
    window: str = ""
    definition: str = ""


class TruthPlan(StagePlan):
    """As `models.recipe.Truth`, with the folder that `path` is relative to."""

    data: str
    path: str
    event_id: str
    columns: dict[str, str]


class EvaluationPlan(StagePlan):
    """The part of the recipe that the stage reads."""

    tasks: dict[str, TaskPlan]
    slices: tuple[tuple[str, ...], ...] = ()
    group_key: str | None = None
    max_slice_values: int = 100
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
                unmeasured=task.unmeasured,
                window=format_duration(task.window) if task.window else "",
                definition=definition_of(recipe, name),
            )
            for name, task in recipe.tasks.items()
        }
        truth = evaluation.truth
        return cls(
            tasks=tasks,
            slices=evaluation.slices,
            group_key=evaluation.group_key,
            max_slice_values=evaluation.max_slice_values,
            truth=TruthPlan(data=recipe.data, **truth.model_dump()) if truth else None,
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


def truth_fingerprint(recipe: Recipe) -> str:
    """Fingerprint of the truth files' content, "" without truth: TFX's cache does not look into them.

    Raises:
        InputError: no file matches the truth's path.
    """
    truth = recipe.evaluation.truth
    if truth is None:
        return ""
    from components.event_logs.fingerprint import fingerprint_files

    return fingerprint_files(recipe.data, {"evaluation.truth": truth.path})


def definition_of(recipe: Recipe, task: str) -> str:
    """What makes two runs' values of one task comparable.

    Fingerprint of what the task's labels and the eval split mean: 16 hexadecimal digits.

    Of the task, and of those it is `conditioned_on`: kind, outcome, window, aggregate, label. Of the data: the streams or the
    labelled examples, without their paths; which key splits them, and its value unless that is a moment. The rows
    themselves are other ones every night.
    """
    examples, logs, split = recipe.examples, recipe.logs, recipe.split
    meaning = {
        "task": _labels(recipe, task),
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
    return {**own, "window": window, "conditioned_on": given}
