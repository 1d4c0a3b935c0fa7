"""Aligned-MTL: task gradients made orthogonal and equally long, changed as little as possible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from models.balancing.evidence import Evidence
from models.balancing.inner_products import InnerProducts
from models.balancing.small_systems import times

if TYPE_CHECKING:
    from models.recipe.option_types import AlignedScale, CombinedPlace

EPSILON = 2.0**-23
"""Of float32."""


@keras.saving.register_keras_serializable(package="gatewise")
class AlignedMTL(InnerProducts):
    """Sums the task gradients after making them orthogonal and equally long; suits tasks whose gradients conflict and differ in length.

    With the gradients in the columns of G = U S V': the aligned gradients are the columns of s U V', of all matrices
    with orthogonal columns of one length the nearest to G up to the factor s. d is their sum. With the eigenvalues l_k
    and eigenvectors v_k of M = G' G, d = sum_i a_i g_i with a = sum_k sqrt(s^2 / l_k) v_k v_k' 1. Eigenvalues of at
    most T eps max(l) do not count, where T is the number of tasks and eps = 2^-23.

    Senushkin et al., Independent Component Alignment for Multi-Task Learning, CVPR 2023
    (https://arxiv.org/abs/2305.19000). The lengths of orthogonal gradients do not change the direction. Those of
    other gradients do, since scaling a column of G changes U V'. Deviation: applies only to the shared variables.

    Cost of a step: one backward pass through the architecture per task, and memory for all task gradients of the shared
    variables.

    Args:
        tasks: names of the tasks.
        weights: weight of each task's loss, before its gradient is taken.
        scale: s^2, from the eigenvalues that count. "min": the smallest, as in the paper. "median": the lower median. "rmse": the
            mean.
        over: where the gradients are combined, as in `GradientCombiner`.
    """

    def __init__(
        self,
        tasks: tuple[str, ...],
        weights: tuple[float, ...],
        *,
        scale: AlignedScale = "min",
        over: CombinedPlace = "shared",
        **layer: Any,
    ) -> None:
        super().__init__(tasks, weights, over=over, **layer)
        self.scale = scale

    def coefficients(self, products: Any, evidence: Evidence) -> Any:
        tasks = len(self.tasks)
        largest = ops.max(ops.diagonal(products))
        values, vectors = ops.eigh(products / ops.where(largest > 0, largest, 1.0))  # in ascending order
        counts = values > ops.max(values) * tasks * EPSILON
        rank = ops.sum(ops.cast(counts, "int32"))
        places = {"min": tasks - rank, "median": tasks - rank + (rank - 1) // 2}
        if self.scale in places:
            square = ops.take(values, ops.clip(places[self.scale], 0, tasks - 1))
        else:
            square = ops.divide_no_nan(ops.sum(ops.where(counts, values, 0.0)), ops.cast(rank, "float32"))
        factors = ops.where(counts, ops.sqrt(ops.maximum(square, 0.0) / ops.where(counts, values, 1.0)), 0.0)
        return times(vectors, factors * ops.sum(vectors, axis=0))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scale": self.scale}
