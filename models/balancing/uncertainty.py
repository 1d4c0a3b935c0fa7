"""Uncertainty: the weights are learned, each task's noise being a parameter."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from models.balancing.base import Weighting
from models.balancing.evidence import Evidence


@keras.saving.register_keras_serializable(package="gatewise")
class Uncertainty(Weighting):
    """Weights learned with the model, lower for a noisier task: for losses of different units or sizes.

    The objective is sum_t w_t (exp(-s_t) L_t + s_t / 2), with s_t = log(sigma_t^2) learned from 0 on and w_t the
    recipe's weight. Left to itself, exp(-s_t) goes to 1 / (2 L_t).

    Kendall et al., Multi-Task Learning Using Uncertainty to Weigh Losses for Scene Geometry and Semantics, CVPR 2018
    (https://arxiv.org/abs/1705.07115). The paper has L / sigma^2 + log(sigma) for classification, which is this, and
    L / (2 sigma^2) + log(sigma) for regression, which is this as well: put s + log 2 for s, and a constant is left.
    Deviations: the recipe's weights, around the whole term, so that s_t does not undo them; a task that the batch has
    no observed example of leaves its s_t alone; and s_t acts within [-10, 10].

    Needs losses that are not negative. Cost of a step: none to speak of, one number to learn for each task.

    Args:
        tasks: names of the tasks.
        weights: weight of each task's term.
    """

    needs_non_negative = True

    def build(self, input_shape: Any = None) -> None:
        self.log_variance = self.add_weight(
            shape=(len(self.tasks),), initializer="zeros", dtype="float32", name="log_variance"
        )

    def weigh(self, evidence: Evidence) -> Any:
        fixed = ops.convert_to_tensor(self.task_weights, dtype="float32")
        log_variance = ops.clip(self.log_variance, -10.0, 10.0)
        observed = ops.cast(evidence.observed, "float32")
        self.add_loss(ops.sum(fixed * observed * log_variance / 2))
        return fixed * ops.exp(-log_variance)
