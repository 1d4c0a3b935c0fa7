"""UPGrad: the sum of the task gradients, each projected so that it opposes none."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from models.balancing.cosines import cosines
from models.balancing.evidence import Evidence
from models.balancing.inner_products import InnerProducts
from models.balancing.interior_point import minimum
from models.balancing.small_systems import times


@keras.saving.register_keras_serializable(package="gatewise")
class UPGrad(InnerProducts):
    """Sums the task gradients after projecting each onto the directions that worsen no task; suits tasks with conflicting gradients.

    d = sum_i p_i, where p_i is the nearest vector to g_i with g_j . p_i >= 0 for all tasks j. In coefficients:
    p_i = g_i + sum_j x_j g_j with x = argmin |g_i + sum_j x_j g_j|^2 subject to x >= 0. Unlike PCGrad's, the result
    conflicts with no task, and does not depend on an order of the tasks.

    Quinton and Rey, Jacobian Descent for Multi-Objective Optimization, 2024 (https://arxiv.org/abs/2406.16232).
    Deviations: the sum in place of the mean; an interior point method with a fixed number of steps
    (`models.balancing.interior_point`); cosines are multiplied by 1 - 1e-5 (the authors' code: 1e-4 times the trace
    added to the inner products); applies only to the shared variables.

    Cost of a step: one backward pass through the architecture per task, and memory for all task gradients of the shared
    variables.

    Args:
        tasks: names of the tasks.
        weights: weight of each task's loss, before its gradient is taken.
        over: where the gradients are combined, as in `GradientCombiner`.
    """

    def coefficients(self, products: Any, evidence: Evidence) -> Any:
        lengths, present, matrix = cosines(products)
        batch = (len(self.tasks),) * 3
        # Row i: x_j |g_j| / |g_i| for task i. Its linear term is the row of the cosines.
        added = minimum(lambda x: (times(matrix, x) + matrix, ops.broadcast_to(matrix, batch)), ops.ones_like(matrix))
        return present + ops.sum(ops.expand_dims(present * lengths, 1) * added, axis=0) * present / lengths
