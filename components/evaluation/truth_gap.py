"""The gap of a model to the true probabilities of simulated logs."""

from __future__ import annotations

from collections.abc import Mapping

from components.evaluation.plan import TaskPlan
from components.evaluation.scores import Value

# Metrics of the truth: (metric, whether larger is better).
TRUTH_METRICS = {"binary": (("auc", True), ("log_loss", False)), "regression": (("rmse", False), ("mae", False))}


def against_truth(task: TaskPlan, model: Mapping[str, Value], truth: Mapping[str, Value]) -> dict[str, Value]:
    """The metrics of the true probability on the same examples, and the model's gap to them (0 is perfect).

    auc_gap = auc(truth) - auc(model); log_loss_gap = log_loss(model) - log_loss(truth); rmse and mae like log_loss.
    """
    found: dict[str, Value] = {}
    gaps: dict[str, Value] = {}
    for metric, larger in TRUTH_METRICS[task.kind]:
        best, mine = truth[metric], model[metric]
        found[metric] = best
        gaps[f"{metric}_gap"] = None if best is None or mine is None else (best - mine if larger else mine - best)
    return found | gaps
