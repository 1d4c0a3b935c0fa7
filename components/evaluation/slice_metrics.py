"""The metrics of one task on one slice, with their intervals if the slice has enough examples."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from components.evaluation.intervals import Interval, intervals_json
from components.evaluation.measuring import Slices
from components.evaluation.plan import EvaluationPlan, TaskPlan
from components.evaluation.scores import COUNTS, Value

# A slice of a binary task with fewer examples of a class is marked `few`.
MIN_OF_A_CLASS = 10


@dataclasses.dataclass(frozen=True, kw_only=True)
class SliceMetrics:
    """The metrics of one task on one slice, and their intervals.

    `few`: whether the slice has too few examples to be ranked (`EvaluationPlan.min_slice_examples`). It has no intervals then.
    """

    slice: dict[str, str]
    task: str
    metrics: dict[str, Value]
    intervals: dict[str, Interval] = dataclasses.field(default_factory=dict)
    few: bool = False

    def to_json(self) -> dict[str, Any]:
        """An entry of `slices` in metrics.json."""
        more = {"few": True} if self.few else {"intervals": intervals_json(self.intervals)}
        return {"slice": self.slice, "task": self.task, **self.metrics, **more}


def slice_metrics(
    plan: EvaluationPlan, task: str, slice_: dict[str, str], found: Slices, slicing: int, code: int
) -> SliceMetrics:
    """The metrics of a slice.

    Args:
        plan: plan of the evaluation.
        task: name of the task.
        slice_: column -> value.
        found: all measurements of the task.
        slicing, code: the slice's place in them.
    """
    about, metrics = plan.tasks[task], found.metrics[slicing][code]
    examples, positives = (int(metrics[name] or 0) for name in COUNTS)
    few = examples < plan.min_slice_examples
    if about.kind == "binary":
        few = few or min(positives, examples - positives) < MIN_OF_A_CLASS
    return SliceMetrics(
        slice=slice_,
        task=task,
        metrics={name: metrics[name] for name in (*about.metrics, *COUNTS)},
        intervals={} if few else reported(about, found.intervals[slicing][code]),
        few=few,
    )


def reported(task: TaskPlan, intervals: Mapping[str, Interval]) -> dict[str, Interval]:
    """The intervals of the metrics that the task reports."""
    return {name: intervals[name] for name in task.metrics if name in intervals}
