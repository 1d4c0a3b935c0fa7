"""Geometric: the geometric mean of the losses."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from models.balancing.base import Weighting
from models.balancing.evidence import Evidence

_SMALLEST = 1e-8


@keras.saving.register_keras_serializable(package="gatewise")
class Geometric(Weighting):
    """Minimizes the geometric mean of the losses; suits losses of different scales, without options and without state.

    With G = (prod_t L_t^(w_t))^(1 / W), W = sum_t w_t and the recipe's weights w_t, a step follows the gradient of W G,

        sum_t v_t grad L_t,  v_t = w_t G / L_t

    so that a loss counts by its relative change: multiplying one loss by a constant does not change the direction.

    Chennupati et al., MultiNet++: Multi-Stream Feature Aggregation and Geometric Loss Strategy for Multi-Task Learning,
    CVPR Workshops 2019 (https://arxiv.org/abs/1904.08492). Deviations: the factor W, so that a single task has its weight
    of the recipe; the paper has no weights, and its gradient is 1 / T of this one. Tasks without an observed example in
    the batch, or with a loss that is not finite, are excluded from the mean. A loss below 1e-8 counts as 1e-8.

    Requires non-negative losses. Cost of a step: negligible.

    Args:
        tasks: names of the tasks.
        weights: exponent of each task's loss.
    """

    needs_non_negative = True

    def weigh(self, evidence: Evidence) -> Any:
        fixed = ops.convert_to_tensor(self.task_weights, dtype="float32")
        losses = ops.stop_gradient(ops.cast(evidence.losses, "float32"))
        takes_part = ops.logical_and(evidence.observed, ops.isfinite(losses))
        logs = ops.log(ops.where(takes_part, ops.maximum(losses, _SMALLEST), 1.0))
        shares = ops.where(takes_part, fixed, 0.0)
        mean = ops.divide_no_nan(ops.sum(shares * logs), ops.sum(shares))
        return shares * ops.exp(mean - logs)
