"""What each task of a small problem is measured by."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from benchmarks.small.examples import Array
from models.recipe.tasks import Task, loss_of

CLIP = 1e-7


@dataclasses.dataclass(frozen=True, kw_only=True)
class Measure:
    """The measure of a task.

    Attributes:
        binary: whether the task predicts a probability: it then has an AUC, and its loss is log loss. The loss of a
            regression is RMSE.
        log: whether the RMSE is that of log(1 + label).
    """

    binary: bool
    log: bool

    @property
    def metric(self) -> str:
        """Name of the loss, as `components.evaluation.paired` has it."""
        return "log_loss" if self.binary else "rmse"

    def scaled(self, values: Any) -> Array:
        """Labels or predictions in the unit of the loss."""
        return np.log1p(np.maximum(values, 0.0)) if self.log else np.asarray(values, np.float64)

    def unscaled(self, values: Any) -> Array:
        """The reverse of `scaled`."""
        return np.expm1(values) if self.log else np.asarray(values, np.float64)

    def loss(self, labels: Array, predictions: Array) -> float:
        """Mean log loss, or RMSE."""
        if self.binary:
            p = np.clip(predictions, CLIP, 1.0 - CLIP)
            return float(-np.mean(labels * np.log(p) + (1.0 - labels) * np.log1p(-p)))
        return float(np.sqrt(np.mean((self.scaled(labels) - self.scaled(predictions)) ** 2)))

    def constant(self, labels: Array) -> float:
        """The prediction with the least loss among the constants."""
        return float(self.unscaled(np.mean(self.scaled(labels))))


def measure_of(task: Task) -> Measure:
    """The measure of a task of a recipe, by its kind and loss."""
    return Measure(binary=task.kind == "binary", log=loss_of(task) == "squared_log_error")
