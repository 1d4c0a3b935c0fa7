"""Ordinal: predicts the mean of ordered grades, such as stars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops

from models.losses.base import Loss, Start

if TYPE_CHECKING:
    from models.recipe.option_types import Ascending


class Ordinal(Loss):
    """Likelihood of the grade of an ordered scale; predicts the mean grade, such as stars, without assuming equal steps between grades.

    The grades v_0 < ... < v_K have K cumulative logits, which fall from grade to grade:

        l_1 = z_1,  l_k = l_(k-1) - softplus(z_k),   P(y >= v_k) = sigmoid(l_k)
        value = -log P(y = v_k) = -log(sigmoid(l_k) - sigmoid(l_(k+1)))
        prediction = v_0 + sum_k P(y >= v_k) (v_k - v_(k-1))

    with sigmoid(l_0) = 1 and sigmoid(l_(K+1)) = 0. The value is computed as the sum of softplus(-l_k), softplus(l_(k+1)) and
    softplus(-z_(k+1)), of which the first grade has the second term only and the last grade the first only: stable for any z.

    A label between two grades counts as the lower one, a label below the first grade as the first.

    McCullagh, Regression Models for Ordinal Data, Journal of the Royal Statistical Society B 42, 1980
    (https://doi.org/10.1111/j.2517-6161.1980.tb01109.x). Deviation: the distances between the cumulative logits are outputs of the
    network, too, not constants of the task.

    Args:
        grades: the possible labels.
    """

    kind = "regression"
    outputs = 4
    labels = "one of the option `grades`"

    def __init__(self, *, grades: Ascending = (1.0, 2.0, 3.0, 4.0, 5.0)) -> None:
        self.grades = tuple(map(float, grades))
        self.outputs = len(self.grades) - 1

    def value(self, logits: Any, labels: Any) -> Any:
        cumulative, labels = _cumulative(logits), ops.expand_dims(labels, -1)
        reached = ops.cast(labels >= np.array(self.grades[1:], np.float32), "float32")  # (batch, K): y >= v_k
        before = ops.concatenate([ops.ones_like(reached[:, :1]), reached[:, :-1]], axis=1)  # y >= v_(k-1)
        after = ops.concatenate([reached[:, 1:], ops.zeros_like(reached[:, :1])], axis=1)  # y >= v_(k+1)
        lower = (reached - after) * ops.softplus(-cumulative)
        upper = (before - reached) * ops.softplus(cumulative)
        between = (before - reached)[:, 1:] * ops.softplus(-logits[:, 1:])
        return ops.sum(lower + upper, axis=1) + ops.sum(between, axis=1)

    def start(self, labels: np.ndarray, weights: np.ndarray) -> Start:
        # Half an example of each grade is added, so that no grade is impossible.
        grades = np.searchsorted(self.grades[1:], labels, side="right")
        counts = 0.5 + np.bincount(grades, weights * (len(weights) / weights.sum()), len(self.grades))
        reached = np.cumsum(counts[::-1])[::-1][1:] / counts.sum()
        cumulative = np.log(reached) - np.log1p(-reached)
        apart = np.log(np.expm1(-np.diff(cumulative)))
        return Start((float(cumulative[0]), *map(float, apart)), (1.0,) * self.outputs)

    def prediction(self, logits: Any) -> Any:
        steps = np.diff(self.grades).astype(np.float32)
        return self.grades[0] + ops.sum(ops.sigmoid(_cumulative(logits)) * steps, axis=1)


def _cumulative(logits: Any) -> Any:
    """(batch, K) logits of y >= v_k, falling in k."""
    return ops.concatenate([logits[:, :1], logits[:, :1] - ops.cumsum(ops.softplus(logits[:, 1:]), axis=1)], axis=1)
