"""MGDA: the shortest convex combination of the task gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from models.balancing.cosines import cosines
from models.balancing.evidence import Evidence
from models.balancing.inner_products import InnerProducts
from models.balancing.interior_point import minimum
from models.balancing.small_systems import times

if TYPE_CHECKING:
    from models.recipe.option_types import CombinedPlace, GradientNormalization


@keras.saving.register_keras_serializable(package="gatewise")
class MGDA(InnerProducts):
    """Follows the shortest convex combination of the task gradients, which worsens no task; suits tasks of equal importance.

    The direction is d = T sum_i w_i g_i, with w = argmin |sum_i w_i g_i / s_i|^2 subject to w_i >= 0 and sum_i w_i = 1, and T
    the number of tasks with a gradient other than 0. Then g_i . d >= |d|^2 / T for each of them if s_i = 1. For two tasks and
    s_i = 1, w_1 = clip((|g_2|^2 - g_1 . g_2) / |g_1 - g_2|^2, 0, 1). d is 0 if no direction improves all tasks.
    The shortest combination is dominated by the shortest gradients; a `normalization` prevents this.

    Sener and Koltun, Multi-Task Learning as Multi-Objective Optimization, NeurIPS 2018
    (https://arxiv.org/abs/1810.04650). Deviations: the factor T, which keeps the sum of equal gradients; a gradient of
    0 takes no part, although the shortest combination would then be 0; an interior point method with a fixed number of
    steps (`models.balancing.interior_point`) in place of Frank-Wolfe, which converges slowly; cosines of different
    gradients are multiplied by 1 - 1e-5; applies only to the shared variables, or, with
    over="encoded", as the paper's MGDA-UB.

    Cost of a step: one backward pass through the architecture per task, and memory for all task gradients of the shared
    variables.

    Args:
        tasks: names of the tasks.
        weights: weight of each task's loss, before its gradient is taken.
        normalization: s_i. "plain": 1. "l2": |g_i|. "loss": the loss L_i, which must be positive. "loss+": L_i |g_i|.
        over: where the gradients are combined, as in `GradientCombiner`.
    """

    def __init__(
        self,
        tasks: tuple[str, ...],
        weights: tuple[float, ...],
        *,
        normalization: GradientNormalization = "plain",
        over: CombinedPlace = "shared",
        **layer: Any,
    ) -> None:
        super().__init__(tasks, weights, over=over, **layer)
        self.normalization = normalization

    def coefficients(self, products: Any, evidence: Evidence) -> Any:
        lengths, present, matrix = cosines(products)
        losses = ops.maximum(ops.cast(evidence.losses, "float32"), 1e-12)
        scales = {"plain": ops.ones_like(lengths), "l2": lengths, "loss": losses, "loss+": losses * lengths}
        # In terms of y_i = w_i |g_i| / s_i: the shortest sum_i y_i g_i / |g_i| with sum_i y_i s_i / |g_i| = 1.
        normal = present * scales[self.normalization] / lengths
        normal = ops.divide_no_nan(normal, ops.max(normal))
        start = ops.where(present > 0, ops.divide_no_nan(1.0, ops.sum(normal)), 1.0)
        shares = minimum(lambda y: (times(matrix, y), matrix), start, normal) * normal
        return ops.divide_no_nan(ops.sum(present), ops.sum(shares)) * shares

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "normalization": self.normalization}
