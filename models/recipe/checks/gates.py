"""Checks of the metrics and gates of tasks."""

from __future__ import annotations

from collections.abc import Iterator

from models.recipe.checks.problem import Problem
from models.recipe.recipe import Recipe
from models.recipe.registry import known
from models.recipe.tasks import COUNTS, LOWER_IS_BETTER, METRICS, metrics_of

LIMITS = ("at_least", "at_most", "beats", "max_loss_to_baseline", "max_loss_to_best")


def gate_problems(recipe: Recipe) -> Iterator[Problem]:
    sliced = {frozenset(entry) for entry in recipe.evaluation.slices}
    for name, task in recipe.tasks.items():
        for index, metric in enumerate(task.metrics or ()):
            if metric not in METRICS[task.kind]:
                yield (
                    ("tasks", name, "metrics", index),
                    f"unknown metric {metric!r} for a {task.kind} task; {known(metric, METRICS[task.kind])}",
                )
            elif metric == "gauc" and recipe.evaluation.group_key is None:
                yield ("tasks", name, "metrics", index), "gauc needs groups: set evaluation.group_key to a column."
        for index, gate in enumerate(task.gates or ()):
            at = ("tasks", name, "gates", index)
            reported = [metric for metric in metrics_of(task) if metric != "gauc" or recipe.evaluation.group_key]
            if gate.metric not in (*reported, *COUNTS):
                yield (
                    (*at, "metric"),
                    f"the task does not report {gate.metric!r}; {known(gate.metric, (*reported, *COUNTS))}",
                )
            if all(getattr(gate, limit) is None for limit in LIMITS):
                yield at, f"a gate needs a limit: {', '.join(LIMITS[:-1])} or {LIMITS[-1]}."
            if gate.beats is not None and gate.metric not in LOWER_IS_BETTER:
                yield (
                    (*at, "beats"),
                    f"a comparison with the constant works for {', '.join(LOWER_IS_BETTER)}, not for {gate.metric!r}: the AUC of a "
                    "constant is always 0.5, and its calibration is good by construction. Write at_least instead.",
                )
            if gate.metric in COUNTS and gate.max_loss_to_best is not None:
                yield (
                    (*at, "max_loss_to_best"),
                    f"{gate.metric} is a size of the eval split, not a metric of the model; write at_least instead.",
                )
            if gate.at_least is not None and gate.at_most is not None and gate.at_least > gate.at_most:
                yield at, f"no value can be at least {gate.at_least} and at most {gate.at_most}."
            if gate.slice and frozenset(gate.slice) not in sliced:
                yield (
                    (*at, "slice"),
                    f"evaluation.slices has no entry with exactly the columns {sorted(gate.slice)}; add one.",
                )
