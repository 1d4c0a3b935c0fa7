"""DualBalancing: gradients of the logarithms of the losses, all of the same size."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from models.balancing.evidence import Evidence
from models.balancing.inner_products import InnerProducts

_SMALLEST = 1e-8


@keras.saving.register_keras_serializable(package="gatewise")
class DualBalancing(InnerProducts):
    """Gives all task gradients the same size, that of the relatively fastest task (DB-MTL); suits losses of different scales.

    With g_t the gradient of L_t over the shared variables, and m the task of the largest |g_t| / L_t, the norm of the
    gradient of log L_t,

        d = |g_m| sum_t w_t g_t / |g_t|

    with the recipe's weights w_t.

    Lin et al., Dual-Balancing for Multi-Task Learning, 2023 (https://arxiv.org/abs/2308.12029): the gradients of log L_t are
    scaled to the largest of their norms. Deviations: d is L_m times the paper's, so that a single task keeps its gradient,
    and so that the shared variables have the scale of the other variables, which get the plain sum of losses and not of
    logarithms. The paper's running mean of the gradients is left out: it needs a copy of the shared variables per task. The
    recipe's weights are separate factors. A loss below 1e-8 counts as 1e-8.

    Requires non-negative losses. Cost of a step: one backward pass through the architecture per task, and memory for all
    task gradients of the shared variables.

    Args:
        tasks: names of the tasks.
        weights: size of each task's gradient, relative to the others.
        over: where the gradients are combined, as in `GradientCombiner`.
    """

    needs_non_negative = True

    def coefficients(self, products: Any, evidence: Evidence) -> Any:
        fixed = ops.convert_to_tensor(self.task_weights, dtype="float32")
        norms = ops.divide_no_nan(ops.sqrt(ops.diagonal(products)), fixed)
        losses = ops.maximum(ops.cast(evidence.losses, "float32"), _SMALLEST)
        of_logs = ops.where(evidence.observed, norms / losses, 0.0)
        return ops.divide_no_nan(ops.take(norms, ops.argmax(of_logs)), norms)
