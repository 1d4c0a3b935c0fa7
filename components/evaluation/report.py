"""The evaluation as a pure function: from labels and predictions to metrics, gaps to the truth, and gates."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluation.best import Record, metrics_on_record, place_of
from components.evaluation.clusters import Clusters, clusters, group_order
from components.evaluation.fault import day_at_fault
from components.evaluation.gates import GateResult, Measured, check_gate, not_finite, unmeasured
from components.evaluation.intervals import Interval, intervals_json
from components.evaluation.measuring import Asked, measure_all
from components.evaluation.plan import AGAINST_CONSTANT, EvaluationPlan, TaskPlan
from components.evaluation.scores import COUNTS, NOT_FINITE, Scores, Value
from components.evaluation.slice_metrics import SliceMetrics, reported, slice_metrics
from components.evaluation.slices import Coded, Slicing, one_slice, select, slices
from components.evaluation.truth_gap import TRUTH_METRICS, against_truth
from models.recipe.section import Scalar

Predictions = Mapping[str, NDArray[Any]]
# Key of the slice of all examples.
WHOLE = str({})
# Metrics of the constant. Its AUC and GAUC are 0.5 by definition.
CONSTANT_METRICS = {"binary": ("log_loss", "calibration"), "regression": ("rmse", "mae", "calibration")}


@dataclasses.dataclass(frozen=True, kw_only=True)
class EvalExamples:
    """The columns of the eval split, n examples, that the metrics need.

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
class Report:
    """All measurements. `baseline` is None if there is no model to compare with.

    `intervals`: task -> metric -> its 95 % interval over the eval split.
    `curves`: for each binary task with both classes, its curves (`curves.py`).
    `constant`: for each task observed in the train split, `mean` (the mean label there), the `metrics` of always predicting
    it, the metric `by` which it is compared (log_loss; rmse for a regression), the `model`'s value, and `beaten`, whether the
    model is better (None if a value is missing).
    `references`: the comparison with the references (`references.py`); {} if there are none.
    `day_at_fault`: whether the baseline is outside of an absolute limit, too, that the candidate does not hold (`fault.day_at_fault`).
    `ungated`: the tasks without gates. `values`: the values that are recorded if the model is blessed, by `place_of`.
    """

    tasks: dict[str, dict[str, Value]]
    intervals: dict[str, dict[str, Interval]]
    curves: dict[str, dict[str, dict[str, list[float]]]]
    constant: dict[str, dict[str, Any]]
    ungated: list[str]
    values: dict[str, float]
    slices: list[SliceMetrics]
    truth: dict[str, dict[str, Value]]
    gates: list[GateResult]
    baseline: dict[str, dict[str, Value]] | None
    day_at_fault: bool = False
    references: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def blessed(self) -> bool:
        """Whether every gate of every task holds. True without gates."""
        return all(gate.held for gate in self.gates)

    def to_json(self) -> dict[str, Any]:
        """The content of metrics.json."""
        gates = [dataclasses.asdict(gate) for gate in self.gates]
        for gate in gates:
            for number in ("lower", "upper", "change"):
                del gate[number]
        return {
            "tasks": self.tasks,
            "intervals": {task: intervals_json(intervals) for task, intervals in self.intervals.items()},
            "curves": self.curves,
            "constant": self.constant,
            "ungated": self.ungated,
            "slices": [found.to_json() for found in self.slices],
            "truth": self.truth,
            "gates": gates,
            "baseline": self.baseline,
            "day_at_fault": self.day_at_fault,
            "references": self.references,
        }


def evaluate(
    plan: EvaluationPlan,
    examples: EvalExamples,
    candidate: Predictions,
    baseline: Predictions | None = None,
    no_baseline: str = "there is no older blessed model",
    truth: Predictions | None = None,
    means: Mapping[str, float] | None = None,
    best: Record | None = None,
) -> Report:
    """Measures the candidate, overall and by slice, and checks the gates.

    Args:
        plan: what to measure.
        examples: the eval split.
        candidate: task -> (n,) predictions of the candidate, for every task of the plan.
        baseline: task -> (n,) predictions of an older model on the same examples, for the tasks that it has; None without one.
        no_baseline: why there is no baseline, as text.
        truth: task -> (n,) true probabilities or means, for some tasks.
        means: task -> mean label of the train split, for the tasks that are observed there.
        best: the best values of blessed models so far.
    """
    means, best = means or {}, best or {}
    # The same prediction for every row, in a few bytes.
    constant = {task: np.broadcast_to(np.float64(mean), (examples.rows,)) for task, mean in means.items()}
    entries = {
        entry: slices([examples.columns[name] for name in entry], plan.max_slice_values) for entry in plan.slices
    }
    groups = examples.columns[plan.group_key].codes if plan.group_key else None
    grouped = None if groups is None else group_order(groups)
    whole_split = one_slice(np.ones(examples.rows, np.bool_))
    units = [clusters(slicing, grouped) for slicing in (whole_split, *entries.values())]
    asked = {
        **_asked(plan, examples, "candidate", candidate, entries, units=units),
        **_asked(plan, examples, "baseline", baseline or {}, {}),
        **_asked(plan, examples, "truth", truth or {}, {}),
        **_asked(plan, examples, "constant", constant, {}, CONSTANT_METRICS),
    }
    found = measure_all(asked)

    def metrics_of(who: str, task: str) -> list[list[dict[str, Value]]]:
        return found[who, task].metrics if (who, task) in found else []

    def whole(who: str, task: str) -> dict[str, Value]:
        return found[who, task].metrics[0][0]

    gates: list[GateResult] = []
    values: dict[str, float] = {}
    for task, about in plan.tasks.items():
        mine = _by_slice(about, found["candidate", task].metrics)
        overall = mine[WHOLE]
        if not overall[COUNTS[0]]:
            gates.append(unmeasured(task, about, examples.rows))
            continue
        base = _by_slice(about, metrics_of("baseline", task))
        simplest = _by_slice(about, metrics_of("constant", task))
        why = no_baseline if baseline is None else f"the baseline does not have the task {task!r}"
        signed = about.kind == "regression" and bool(((examples.weights[task] > 0) & (examples.labels[task] < 0)).any())
        gates += not_finite(task, overall[COUNTS[0]], overall[NOT_FINITE])
        for gate in about.gates:
            key = str(gate.slice)
            measured = Measured(
                candidate=mine[key],
                baseline=base.get(key),
                no_baseline=why,
                constant=simplest.get(key),
                mean=means.get(task),
                best=best.get(place_of(plan, task, about, gate.metric, gate.slice)),
                grouped=plan.group_key is not None,
                signed=signed,
            )
            gates += check_gate(task, gate, measured)
        for metric, slice_ in metrics_on_record(about):
            value = mine[str(slice_)][metric]
            if value is not None:
                values[place_of(plan, task, about, metric, slice_)] = float(value)
    names = {task: (*about.metrics, *COUNTS) for task, about in plan.tasks.items()}
    first_entry = {task: len(_gate_slices(about)) for task, about in plan.tasks.items()}
    tasks, before = (
        {task: _pick(names[task], whole(who, task)) for task in plan.tasks if (who, task) in found}
        for who in ("candidate", "baseline")
    )
    return Report(
        tasks=tasks,
        intervals={
            task: reported(about, found["candidate", task].intervals[0][0]) for task, about in plan.tasks.items()
        },
        curves={task: found_curves for task in plan.tasks if (found_curves := found["candidate", task].curves)},
        slices=[
            slice_metrics(
                plan,
                task,
                dict(zip(entry, values, strict=True)),
                found["candidate", task],
                first_entry[task] + number,
                code,
            )
            for number, (entry, slicing) in enumerate(entries.items())
            for code, values in enumerate(slicing.values)
            for task in plan.tasks
        ],
        truth={
            task: against_truth(about, whole("candidate", task), whole("truth", task))
            for task, about in plan.tasks.items()
            if ("truth", task) in found
        },
        gates=gates,
        constant={
            task: _beside(about, means[task], whole("candidate", task), whole("constant", task))
            for task, about in plan.tasks.items()
            if ("constant", task) in found
        },
        ungated=[task for task, about in plan.tasks.items() if not about.gates],
        values=values,
        baseline=None if baseline is None else before,
        day_at_fault=day_at_fault(plan, tasks, before),
    )


def _asked(
    plan: EvaluationPlan,
    examples: EvalExamples,
    who: str,
    predictions: Predictions,
    entries: Mapping[Any, Slicing],
    only: Mapping[str, tuple[str, ...]] | None = None,
    units: Sequence[Clusters] = (),
) -> dict[tuple[str, str], Asked]:
    """The measurements of one model: for each of its tasks the slices of the gates (all examples first) and the entries.

    `only`: kind of task -> the metrics, if not all are needed. `units`: the clusters of all examples and of the entries, if intervals
    are needed.
    """
    groups = examples.columns[plan.group_key].codes if plan.group_key else None
    asked = {}
    for task, about in plan.tasks.items():
        if task not in predictions:
            continue
        scores = Scores(
            labels=examples.labels[task], weights=examples.weights[task], predictions=predictions[task], groups=groups
        )
        masks = (select(examples.columns, slice_, examples.rows) for slice_ in _gate_slices(about).values())
        names = (
            *about.metrics,
            *(gate.metric for gate in about.gates),
            *(name for name, _ in TRUTH_METRICS[about.kind]),
        )
        if only is not None:
            names = only[about.kind]
        asked[who, task] = Asked(
            names=tuple(dict.fromkeys((*names, *COUNTS, NOT_FINITE))),
            scores=scores,
            slicings=(*(one_slice(mask) for mask in masks), *entries.values()),
            clusters=dict(
                zip((0, *range(len(_gate_slices(about)), len(_gate_slices(about)) + len(entries))), units, strict=False)
            ),
            binary=about.kind == "binary",
        )
    return asked


def _gate_slices(task: TaskPlan) -> dict[str, Mapping[str, Scalar]]:
    """The slices of the task's gates without repetition, keyed by their text, because 1 and True are equal in Python.

    The whole eval split is always the first.
    """
    return {WHOLE: {}} | {str(gate.slice): gate.slice for gate in task.gates}


def _by_slice(task: TaskPlan, found: list[list[dict[str, Value]]]) -> dict[str, dict[str, Value]]:
    """The metrics on each of the task's gate slices, keyed by the slice's text; empty if nothing was measured."""
    return {key: metrics for key, [metrics, *_] in zip(_gate_slices(task), found, strict=False)}


def _beside(task: TaskPlan, mean: float, model: Mapping[str, Value], constant: Mapping[str, Value]) -> dict[str, Any]:
    """The values of the constant: see `Report`."""
    metric = AGAINST_CONSTANT[task.kind]
    mine, its = model[metric], constant[metric]
    chance: dict[str, Value] = {name: 0.5 for name in ("auc", "gauc") if name in task.metrics}
    beaten = None if mine is None or its is None else mine < its
    measured = _pick(CONSTANT_METRICS[task.kind], constant)
    return {"mean": mean, "metrics": {**chance, **measured}, "by": metric, "model": mine, "beaten": beaten}


def _pick(names: Iterable[str], values: Mapping[str, Value]) -> dict[str, Value]:
    return {name: values[name] for name in names}
