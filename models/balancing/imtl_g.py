"""IMTL-G: a direction with equal projections onto all task gradients."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from models.balancing.cosines import cosines
from models.balancing.evidence import Evidence
from models.balancing.inner_products import InnerProducts
from models.balancing.small_systems import solved, times


@keras.saving.register_keras_serializable(package="gatewise")
class IMTLG(InnerProducts):
    """Follows the direction with equal projections onto all task gradients; suits losses of different scales.

    d = T sum_i a_i g_i with sum_i a_i = 1 and d . u_1 = ... = d . u_T, where u_i = g_i / |g_i| and T is the number of
    tasks with a gradient other than 0. In closed form, with C_ij = u_i . u_j and y = C^-1 1: a_i = (y_i / |g_i|) /
    sum_j (y_j / |g_j|). Scaling the loss of a task does not change the direction.

    Liu et al., Towards Impartial Multi-task Learning, ICLR 2021 (https://openreview.net/forum?id=IMPnRXEWpvr), the part
    for gradients. Deviations: the factor T, which keeps the sum of equal gradients; a gradient of 0 takes no part;
    cosines are multiplied by 1 - 1e-5; if sum_j (y_j / |g_j|) is negative, where the paper's d would increase every
    loss, the sign of d is changed; |d| is at most T max_i |g_i|, which it exceeds only if some a_i is negative; applies
    only to the shared variables.

    Cost of a step: one backward pass through the architecture per task, and memory for all task gradients of the shared
    variables.

    Args:
        tasks: names of the tasks.
        weights: weight of each task's loss, before its gradient is taken.
        over: where the gradients are combined, as in `GradientCombiner`.
    """

    def coefficients(self, products: Any, evidence: Evidence) -> Any:
        lengths, present, matrix = cosines(products)
        shares = solved(matrix, present)
        count = ops.sum(present)
        factor = ops.divide_no_nan(count, ops.abs(ops.sum(shares / lengths)))
        length = ops.sqrt(ops.maximum(ops.sum(shares * times(matrix, shares)), 0.0))
        longest = ops.divide_no_nan(count * ops.max(present * lengths), length)
        return ops.minimum(factor, longest) * shares / lengths
