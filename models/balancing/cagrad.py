"""CAGrad: the direction near the mean gradient that improves the worst task most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from models.balancing.cosines import RIDGE, cosines
from models.balancing.evidence import Evidence
from models.balancing.inner_products import InnerProducts
from models.balancing.interior_point import minimum
from models.balancing.small_systems import times

if TYPE_CHECKING:
    from models.recipe.option_types import CombinedPlace, Share

SMOOTHING = 1e-8
"""Added to |g_w|^2 in its square root, relative to the square of the shortest gradient."""


@keras.saving.register_keras_serializable(package="gatewise")
class CAGrad(InnerProducts):
    """Turns the mean gradient toward the task that it improves least, within a given distance; suits tasks with conflicting gradients.

    With g_0 the mean of the T gradients other than 0: d = argmax_d min_i g_i . d subject to |d - g_0| <= c |g_0|. Its dual
    is w = argmin g_w . g_0 + c |g_0| |g_w| over w_i >= 0 with sum_i w_i = 1, where g_w = sum_i w_i g_i, and
    d = g_0 + c |g_0| / |g_w| g_w. The step follows T / (1 + c) d.

    Liu et al., Conflict-Averse Gradient Descent for Multi-task Learning, NeurIPS 2021
    (https://arxiv.org/abs/2110.14048). Deviations: the factor T / (1 + c), which keeps the sum of equal gradients (the
    authors' code divides by 1 + c^2); a gradient of 0 takes no part; the dual is solved by an interior point method
    with a fixed number of steps (`models.balancing.interior_point`); applies only to the shared variables.

    Cost of a step: one backward pass through the architecture per task, and memory for all task gradients of the shared
    variables.

    Args:
        tasks: names of the tasks.
        weights: weight of each task's loss, before its gradient is taken.
        c: distance from the mean gradient, relative to its length. 0: the sum of the gradients.
        over: where the gradients are combined, as in `GradientCombiner`.
    """

    def __init__(
        self,
        tasks: tuple[str, ...],
        weights: tuple[float, ...],
        *,
        c: Share = 0.4,
        over: CombinedPlace = "shared",
        **layer: Any,
    ) -> None:
        super().__init__(tasks, weights, over=over, **layer)
        self.c = c

    def coefficients(self, products: Any, evidence: Evidence) -> Any:
        lengths, present, matrix = cosines(products, ridge=0.0)
        # In terms of y_i = w_i |g_i|, and divided by |g_0|, so that the scale of no task matters to the precision.
        to_sum = times(matrix, present * lengths)
        length_of_sum = ops.sqrt(ops.sum(present * lengths * to_sum))
        curvature = matrix + RIDGE * ops.eye(len(self.tasks), dtype="float32")
        linear = present * ops.divide_no_nan(to_sum, length_of_sum)
        normal = present / lengths
        normal = ops.divide_no_nan(normal, ops.max(normal))
        start = ops.where(present > 0, ops.divide_no_nan(1.0, ops.sum(normal)), 1.0)

        def derivatives(y: Any) -> tuple[Any, Any]:
            along = times(matrix, y)
            length = ops.sqrt(ops.sum(y * along) + SMOOTHING)
            # Without the negative part of the Hessian, since Newton steps would overshoot near a g_w of 0.
            return linear + self.c * along / length, self.c * curvature / length

        shares = present * minimum(derivatives, start, normal, steps=40)
        length = ops.sqrt(ops.sum(shares * times(matrix, shares)) + SMOOTHING)
        return (present + self.c * length_of_sum * shares / lengths / length) / (1.0 + self.c)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "c": self.c}
