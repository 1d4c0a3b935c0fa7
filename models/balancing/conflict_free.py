"""ConFIG: a direction with equal cosines to all task gradients, of the length of their projections."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from models.balancing.cosines import cosines
from models.balancing.evidence import Evidence
from models.balancing.inner_products import InnerProducts
from models.balancing.small_systems import times

TOLERANCE = 1e-6
"""Eigenvalues of the cosines that count as 0, relative to the number of tasks."""


@keras.saving.register_keras_serializable(package="gatewise")
class ConFIG(InnerProducts):
    """Follows the direction with equal cosines to all task gradients, as long as their projections (ConFIG); suits losses of different scales.

    With unit gradients u_i = g_i / |g_i| in the rows of U and v = U^+ 1, where U^+ is the pseudo-inverse: u_i . v is equal
    for all i if the u_i are independent. d = (sum_i g_i . v / |v|) v / |v|. With C = U U', v = U' C^+ 1.
    Scaling the loss of a task does not change the direction. d is 0 for two opposed gradients.

    Liu et al., ConFIG: Towards Conflict-free Training of Physics Informed Neural Networks, ICLR 2025
    (https://arxiv.org/abs/2408.11104). Deviations: eigenvalues of C below 1e-6 times the number of tasks count as 0; a
    gradient of 0 takes no part; applies only to the shared variables.

    Cost of a step: one backward pass through the architecture per task, and memory for all task gradients of the shared
    variables.

    Args:
        tasks: names of the tasks.
        weights: weight of each task's loss, before its gradient is taken.
        over: where the gradients are combined, as in `GradientCombiner`.
    """

    def coefficients(self, products: Any, evidence: Evidence) -> Any:
        lengths, present, matrix = cosines(products, ridge=0.0)
        values, vectors = ops.eigh(matrix)
        along = ops.sum(vectors * ops.expand_dims(present, 1), axis=0)
        kept = values > TOLERANCE * len(self.tasks)
        shares = times(vectors, ops.where(kept, along / ops.where(kept, values, 1.0), 0.0))
        to_each = times(matrix, shares)
        square = ops.sum(shares * to_each)
        return ops.divide_no_nan(ops.sum(present * lengths * to_each), square) * present * shares / lengths
