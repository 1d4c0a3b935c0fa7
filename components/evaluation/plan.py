"""What the evaluation needs of the recipe: metrics and gates of the tasks, slices, groups and the truth, if it is known."""

from __future__ import annotations

from typing import Literal

import pydantic

from models.recipe import Recipe, Scalar, metrics_of


class _Frozen(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")


class GatePlan(_Frozen):
    """As `models.recipe.Gate`."""

    metric: str
    at_least: float | None = None
    at_most: float | None = None
    max_loss_to_baseline: float | None = None
    slice: dict[str, Scalar] = {}


class TaskPlan(_Frozen):
    """One task: what to measure, and what must hold."""

    kind: Literal["binary", "regression"]
    metrics: tuple[str, ...]
    gates: tuple[GatePlan, ...] = ()


class TruthPlan(_Frozen):
    """As `models.recipe.Truth`, with the folder that `path` is relative to."""

    data: str
    path: str
    event_id: str
    columns: dict[str, str]


class EvaluationPlan(_Frozen):
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
                gates=tuple(GatePlan.model_validate(gate.model_dump()) for gate in task.gates),
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
