"""IMTLL: learned scales that bring all losses to 1."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from models.balancing.base import Weighting
from models.balancing.evidence import Evidence


@keras.saving.register_keras_serializable(package="gatewise")
class IMTLL(Weighting):
    """Learns a scale of each loss that brings all scaled losses to 1 (the loss balance of IMTL); suits losses of different scales.

    The objective is sum_t w_t (exp(s_t) L_t - s_t), with s_t learned from 0 and the recipe's weights w_t. For a constant
    loss, exp(s_t) converges to 1 / L_t.

    Liu et al., Towards Impartial Multi-Task Learning, ICLR 2021 (https://openreview.net/forum?id=IMPnRXEWpvr), the
    loss balance alone. Deviations: as of `uncertainty`. The recipe's weights multiply the whole term, so that s_t does not cancel
    them; a task without an observed example in the batch does not change its s_t; and s_t is clipped to [-10, 10].

    Relation to `uncertainty`: with s_t = log 2 - log(sigma_t^2), exp(s_t) L_t - s_t is twice the term of `uncertainty`,
    exp(-log sigma_t^2) L_t + log(sigma_t^2) / 2, up to a constant. The two have the same minima of the network. They
    differ in the scale of the step, which Adam removes, and in the start: both weights start at 1, and end at 1 / L_t here
    and at 1 / (2 L_t) there.

    Requires non-negative losses. Cost of a step: negligible, one trainable number per task.

    Args:
        tasks: names of the tasks.
        weights: weight of each task's term.
    """

    needs_non_negative = True

    def build(self, input_shape: Any = None) -> None:
        self.log_scale = self.add_weight(
            shape=(len(self.tasks),), initializer="zeros", dtype="float32", autocast=False, name="log_scale"
        )

    def weigh(self, evidence: Evidence) -> Any:
        fixed = ops.convert_to_tensor(self.task_weights, dtype="float32")
        log_scale = ops.clip(self.log_scale, -10.0, 10.0)
        self.add_loss(-ops.sum(fixed * ops.cast(evidence.observed, "float32") * log_scale))
        return fixed * ops.exp(log_scale)
