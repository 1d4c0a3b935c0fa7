"""The whole evaluation as a pure function: labels and predictions in, metrics, gaps to the truth and gates out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluation.gates import GateResult, check_gate
from components.evaluation.plan import EvaluationPlan, TaskPlan
from components.evaluation.scores import COUNTS, Scores, Value, measure
from components.evaluation.slices import Coded, slices

Predictions = Mapping[str, NDArray[Any]]
# What the truth is compared in: (metric, whether the truth's is the larger).
TRUTH_METRICS = {"binary": (("auc", True), ("log_loss", False)), "regression": (("rmse", False), ("mae", False))}


@dataclasses.dataclass(frozen=True, kw_only=True)
class EvalExamples:
    """The eval split, n examples, as far as the metrics need it.

    `labels`, `weights`: task -> (n,). `columns`: the columns of slices and groups. `event_ids`: (n,) texts, or None.
    """

    labels: Mapping[str, NDArray[Any]]
    weights: Mapping[str, NDArray[Any]]
    columns: Mapping[str, Coded]
    event_ids: Any = None

    @property
    def rows(self) -> int:
        """Number of examples."""
        return len(next(iter(self.labels.values())))


@dataclasses.dataclass(frozen=True, kw_only=True)
class SliceMetrics:
    """The metrics of one task on one slice."""

    slice: dict[str, str]
    task: str
    metrics: dict[str, Value]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that was measured. `baseline` is None where there is no model to compare with."""

    tasks: dict[str, dict[str, Value]]
    slices: list[SliceMetrics]
    truth: dict[str, dict[str, Value]]
    gates: list[GateResult]
    baseline: dict[str, dict[str, Value]] | None

    @property
    def blessed(self) -> bool:
        """Whether every gate of every task holds; so also where there are none."""
        return all(gate.held for gate in self.gates)

    def to_json(self) -> dict[str, Any]:
        """As metrics.json has it."""
        gates = [dataclasses.asdict(gate) for gate in self.gates]
        for gate in gates:
            for number in ("lower", "upper", "change"):
                del gate[number]
        return {
            "tasks": self.tasks,
            "slices": [{"slice": found.slice, "task": found.task, **found.metrics} for found in self.slices],
            "truth": self.truth,
            "gates": gates,
            "baseline": self.baseline,
        }


def evaluate(
    plan: EvaluationPlan,
    examples: EvalExamples,
    candidate: Predictions,
    baseline: Predictions | None = None,
    no_baseline: str = "there is no older blessed model",
    truth: Predictions | None = None,
) -> Report:
    """Measures the candidate, overall and by slice, and holds the gates against it.

    Args:
        plan: what to measure.
        examples: the eval split.
        candidate: task -> (n,) the candidate's predictions, of every task of the plan.
        baseline: task -> (n,) those of an older model, of the tasks that it has, on the same examples; None without one.
        no_baseline: why there is none, in words.
        truth: task -> (n,) true probabilities or means, of some tasks.
    """
    groups = examples.columns[plan.group_key].codes if plan.group_key else None
    scores = {
        task: Scores(
            labels=examples.labels[task], weights=examples.weights[task], predictions=candidate[task], groups=groups
        )
        for task in plan.tasks
    }
    names = {task: (*about.metrics, *COUNTS) for task, about in plan.tasks.items()}
    overall = {task: measure(names[task], scores[task]) for task in plan.tasks}
    by_slice = []
    for entry in plan.slices:
        for values, indices in slices([examples.columns[name] for name in entry], plan.max_slice_values):
            for task in plan.tasks:
                found = measure(names[task], scores[task].at(indices))
                by_slice.append(SliceMetrics(slice=dict(zip(entry, values, strict=True)), task=task, metrics=found))

    gates: list[GateResult] = []
    older: dict[str, dict[str, Value]] = {}
    for task, about in plan.tasks.items():
        base, why = None, no_baseline
        if baseline is not None and task in baseline:
            base = scores[task].of(baseline[task])
            older[task] = measure(names[task], base)
        elif baseline is not None:
            why = f"the baseline does not know the task {task!r}"
        gates += _finite(task, scores[task])
        for gate in about.gates:
            gates += check_gate(task, gate, scores[task], examples.columns, base, why)
    return Report(
        tasks=overall,
        slices=by_slice,
        truth={
            task: against_truth(plan.tasks[task], scores[task], values)
            for task, values in (truth or {}).items()
            if task in plan.tasks
        },
        gates=gates,
        baseline=older if baseline is not None else None,
    )


def against_truth(task: TaskPlan, scores: Scores, truth: NDArray[Any]) -> dict[str, Value]:
    """The true probability's own metrics on the same examples, and how far the model is from them (0 is perfect).

    auc_gap = auc(truth) - auc(model); log_loss_gap = log_loss(model) - log_loss(truth); so for rmse and mae.
    """
    found: dict[str, Value] = {}
    gaps: dict[str, Value] = {}
    for metric, larger in TRUTH_METRICS[task.kind]:
        best, mine = (measure([metric], some)[metric] for some in (scores.of(truth), scores))
        found[metric] = best
        gaps[f"{metric}_gap"] = None if best is None or mine is None else (best - mine if larger else mine - best)
    return found | gaps


def _finite(task: str, scores: Scores) -> list[GateResult]:
    """A gate that nobody has to write: a model that predicts NaN or infinity is never pushed."""
    count = scores.not_finite
    if not count:
        return []
    observed = int(np.count_nonzero(scores.weights > 0))
    message = f"{task}: {count} of {observed} predictions in the eval split are not finite numbers; required none."
    limit = "no prediction that is not finite"
    return [
        GateResult(
            task=task, metric="not_finite", slice={}, limit=limit, value=count, held=False, message=message, upper=0
        )
    ]
