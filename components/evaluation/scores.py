"""One task's predictions beside its labels, and the metrics of them by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluation.slices import Indices
from models import metrics

Value = float | int | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scores:
    """Arrays of shape (n,): labels, predictions, weights and, where there is a group key, group codes (-1: none)."""

    labels: NDArray[Any]
    predictions: NDArray[Any]
    weights: NDArray[Any]
    groups: NDArray[np.int64] | None = None

    def at(self, indices: Indices | None) -> Scores:
        """The scores of some examples; of all with None."""
        if indices is None:
            return self
        return Scores(
            labels=self.labels[indices],
            predictions=self.predictions[indices],
            weights=self.weights[indices],
            groups=None if self.groups is None else self.groups[indices],
        )

    def of(self, predictions: NDArray[Any]) -> Scores:
        """The same examples with another model's predictions."""
        return dataclasses.replace(self, predictions=predictions)

    @property
    def not_finite(self) -> int:
        """How many observed examples have a prediction that is NaN or infinite."""
        return int(np.count_nonzero(~np.isfinite(self.predictions) & (self.weights > 0)))


def measure(names: Iterable[str], scores: Scores) -> dict[str, Value]:
    """The metrics by name; None where one has no value.

    Predictions that are not finite leave every metric of them without value.
    """
    broken = scores.not_finite > 0
    return {name: None if broken and name not in COUNTS else METRICS[name](scores) for name in names}


def why_undefined(name: str, scores: Scores, examples: str) -> str:
    """Why a metric has no value.

    Args:
        name: the metric.
        scores: of the examples it should be measured on.
        examples: these examples in words: "the eval split".
    """
    observed = scores.labels[scores.weights > 0]
    if not len(observed):
        return f"no example of the task is observed in {examples}"
    if scores.not_finite:
        return f"{scores.not_finite} of {len(observed)} predictions in {examples} are not finite numbers"
    if name == "gauc" and scores.groups is None:
        return "there are no groups: evaluation.group_key is not set"
    if name in ("auc", "gauc") and len(np.unique(observed > 0)) == 1:
        return f"only one class in {examples}: all {len(observed)} labels are {1 if observed[0] > 0 else 0}"
    if name == "gauc":
        return f"no group has both classes in {examples}"
    return f"all {len(observed)} labels in {examples} are 0"


METRICS: dict[str, Callable[[Scores], Value]] = {
    "auc": lambda s: metrics.auc(s.labels, s.predictions, s.weights),
    "gauc": lambda s: metrics.gauc(s.labels, s.predictions, s.weights, s.groups),
    "pr_auc": lambda s: metrics.pr_auc(s.labels, s.predictions, s.weights),
    "log_loss": lambda s: metrics.log_loss(s.labels, s.predictions, s.weights),
    "calibration": lambda s: metrics.calibration(s.labels, s.predictions, s.weights),
    "rmse": lambda s: metrics.rmse(s.labels, s.predictions, s.weights),
    "mae": lambda s: metrics.mae(s.labels, s.predictions, s.weights),
    "example_count": lambda s: metrics.example_count(s.labels, s.weights),
    "positive_count": lambda s: metrics.positive_count(s.labels, s.weights),
}
COUNTS = ("example_count", "positive_count")
