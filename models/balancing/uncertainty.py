"""Uncertainty: task weights learned as noise parameters."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from models.balancing.base import Weighting
from models.balancing.evidence import Evidence


@keras.saving.register_keras_serializable(package="gatewise")
class Uncertainty(Weighting):
    """Learns the task weights as trainable noise parameters, lower for noisier tasks; suits losses of different units or scales.

    The objective is sum_t w_t (exp(-s_t) L_t + s_t / 2), with s_t = log(sigma_t^2) learned from 0 and the
    recipe's weight w_t. For a constant loss, exp(-s_t) converges to 1 / (2 L_t).

    Kendall et al., Multi-Task Learning Using Uncertainty to Weigh Losses for Scene Geometry and Semantics, CVPR 2018
    (https://arxiv.org/abs/1705.07115). The paper's form for classification, L / sigma^2 + log(sigma), is the same. Its form for
    regression, L / (2 sigma^2) + log(sigma), is the same up to a constant, with s + log 2 in place of s.
    Deviations: the recipe's weights multiply the whole term, so that s_t does not cancel them; a task without an observed
    example in the batch does not change its s_t; and s_t is clipped to [-10, 10].

    Requires non-negative losses. Cost of a step: negligible, one trainable number per task.

    Args:
        tasks: names of the tasks.
        weights: weight of each task's term.
    """

    needs_non_negative = True

    def build(self, input_shape: Any = None) -> None:
        self.log_variance = self.add_weight(
            shape=(len(self.tasks),), initializer="zeros", dtype="float32", autocast=False, name="log_variance"
        )

    def weigh(self, evidence: Evidence) -> Any:
        fixed = ops.convert_to_tensor(self.task_weights, dtype="float32")
        log_variance = ops.clip(self.log_variance, -10.0, 10.0)
        observed = ops.cast(evidence.observed, "float32")
        self.add_loss(ops.sum(fixed * observed * log_variance / 2))
        return fixed * ops.exp(-log_variance)
