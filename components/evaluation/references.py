"""Compares the model with the references on the same eval rows, and checks the gate against the single-task twin.

The paired difference of a task is in its first metric (not calibration), as a loss: how much worse the model is than the reference.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from components.evaluation.gates import GateResult
from components.evaluation.intervals import AREAS
from components.evaluation.measuring import Asked, measure_all
from components.evaluation.paired import Difference, below, difference, differences
from components.evaluation.plan import EvaluationPlan, NotBelowPlan, compared_metric
from components.evaluation.report import EvalExamples, Predictions, Report
from components.evaluation.scores import COUNTS, NOT_FINITE, Scores
from components.evaluation.slices import one_slice, slices
from components.references.predictions import read_about, read_predictions
from components.storage.reading import open_file

SINGLE_TASK = "single_task"
CURE = (
    "Sharing costs this task quality. Try another architecture (ple, mmoe with more experts), another balancer, or a larger "
    "`weight` of the task."
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class References:
    """Predictions of each reference, name -> task -> (n,), and the content of `references.json`."""

    predictions: Mapping[str, Predictions]
    about: Mapping[str, Any]


def read_references(folder: str, transformed: Sequence[str]) -> References:
    """The references' predictions, in the order of the eval split.

    Args:
        folder: folder of the artifact of the stage References.
        transformed: the eval split's Arrow files, in the order of the examples.
    """
    about = read_about(folder)
    ids = example_ids(transformed)
    return References(
        predictions={name: read_predictions(folder, name, ids) for name in about["references"]}, about=about
    )


def example_ids(transformed: Sequence[str]) -> NDArray[np.int64]:
    """(n,) the ids of the examples in a split's Arrow files, in their order."""
    found = [np.zeros(0, np.int64)]
    for path in transformed:
        with open_file(path, mapped=True) as file:
            names = pa.ipc.open_file(file).schema
            options = pa.ipc.IpcReadOptions(included_fields=[names.get_field_index("example_id")])
            found.append(pa.ipc.open_file(file, options=options).read_all()["example_id"].to_numpy())
    return np.concatenate(found)


def with_references(
    report: Report, plan: EvaluationPlan, examples: EvalExamples, candidate: Predictions, references: References
) -> Report:
    """The report with the comparison and its gates.

    Report.references: {NAME: {TASK: {metric: value}}, "differences": {NAME: {TASK: {"metric", "loss", "lower", "upper",
    "standard_error"}}}, "slices": [{"slice", "task", "metric", "loss", ...}], "about": references.json}. A task without an observed
    eval example is left out. "slices" has the differences from the single-task twins in the slices with enough examples to be
    ranked.
    """
    tasks = [task for task in plan.tasks if report.tasks[task][COUNTS[0]]]
    groups = examples.columns[plan.group_key].codes if plan.group_key else None
    whole = one_slice(np.ones(examples.rows, np.bool_))
    found = measure_all(
        {
            (name, task): Asked(
                names=(*plan.tasks[task].metrics, *COUNTS, NOT_FINITE),
                scores=Scores(
                    labels=examples.labels[task],
                    weights=examples.weights[task],
                    predictions=predictions[task],
                    groups=groups,
                ),
                slicings=(whole,),
                binary=plan.tasks[task].kind == "binary",
            )
            for name, predictions in references.predictions.items()
            for task in tasks
        }
    )
    against: dict[str, dict[str, Difference]] = {
        name: {
            task: difference(
                compared_metric(plan.tasks[task].kind, plan.tasks[task].metrics),
                examples.labels[task],
                examples.weights[task],
                candidate[task],
                predictions[task],
                groups,
                plan.tasks[task].kind == "binary",
            )
            for task in tasks
        }
        for name, predictions in references.predictions.items()
    }
    gates = [
        not_below(task, gate, against[SINGLE_TASK][task])
        for task in tasks
        if (gate := plan.tasks[task].not_below_single_task) is not None and SINGLE_TASK in against
    ]
    values = {
        name: {
            task: {metric: found[name, task].metrics[0][0][metric] for metric in plan.tasks[task].metrics}
            for task in tasks
        }
        for name in against
    }
    compared = {
        "slices": _of_slices(report, plan, examples, candidate, references.predictions.get(SINGLE_TASK)),
        "differences": {
            name: {task: to_json(one) for task, one in by_task.items()} for name, by_task in against.items()
        },
        "about": dict(references.about),
    }
    return dataclasses.replace(report, gates=[*report.gates, *gates], references={**values, **compared})


def _of_slices(
    report: Report,
    plan: EvaluationPlan,
    examples: EvalExamples,
    candidate: Predictions,
    twins: Predictions | None,
) -> list[dict[str, Any]]:
    """The differences from the twins in each slice of the report that is not marked `few`, in the order of the report."""
    ranked = {(one.task, tuple(one.slice.items())) for one in report.slices if not one.few}
    if twins is None or not ranked:
        return []
    slicings = [slices([examples.columns[name] for name in entry], plan.max_slice_values) for entry in plan.slices]
    groups = examples.columns[plan.group_key].codes if plan.group_key else None
    found: dict[tuple[str, tuple[tuple[str, str], ...]], Difference] = {}
    for task in sorted({task for task, _ in ranked}):
        about = plan.tasks[task]
        metric = compared_metric(about.kind, about.metrics)
        models = (examples.labels[task], examples.weights[task], candidate[task], twins[task])
        by_slicing = differences(metric, *models, slicings, groups, about.kind == "binary")
        for entry, slicing, of_slices in zip(plan.slices, slicings, by_slicing, strict=True):
            for values, one in zip(slicing.values, of_slices, strict=True):
                found[task, tuple(zip(entry, values, strict=True))] = one
    return [
        {"slice": one.slice, "task": one.task, **to_json(found[one.task, tuple(one.slice.items())])}
        for one in report.slices
        if not one.few
    ]


def not_below(task: str, gate: NotBelowPlan, found: Difference) -> GateResult:
    """The gate against the single-task twin.

    The tolerance of log_loss, rmse and mae is a share of the twin's value, because these depend on the unit of the labels.

    Args:
        task: name of the task.
        gate: the gate.
        found: difference of the model from its twin.
    """
    relative = gate.metric not in AREAS
    share = " of its value" if relative else ""
    limit = f"at most {gate.tolerance:g}{share} worse than the single-task twin"
    tolerance = gate.tolerance * (abs(found.b) if relative else 1.0)
    what = f"{task}: {found.metric}"
    held = not below(found, tolerance, gate.confidence)
    if np.isnan(found.loss):
        message = f"{what} has no value of the model or of its single-task twin; not compared."
    else:
        lower, upper = found.interval
        worse = "worse" if found.loss > 0 else "better"
        sides = (lower, upper) if found.loss > 0 else (-upper, -lower)
        interval = (
            f", 95 % interval {sides[0]:.6g} to {sides[1]:.6g}" if np.isfinite(lower) else ", without an interval"
        )
        message = (
            f"{what} is {found.a:.6g}, its single-task twin's {found.b:.6g}: {abs(found.loss):.6g} {worse}{interval}; "
            f"required {limit} with confidence {gate.confidence:g}."
        )
    return GateResult(
        task=task,
        metric=found.metric,
        slice={},
        limit=limit,
        value=None if np.isnan(found.a) else found.a,
        held=held,
        message=message if held else f"{message} {CURE}",
        change=tolerance if np.isfinite(tolerance) else None,
    )


def to_json(found: Difference) -> dict[str, Any]:
    """A difference for metrics.json; None for what has no value."""
    lower, upper = found.interval
    numbers = {"loss": found.loss, "lower": lower, "upper": upper, "standard_error": found.standard_error}
    return {"metric": found.metric, **{name: value if np.isfinite(value) else None for name, value in numbers.items()}}
