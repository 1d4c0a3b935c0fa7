"""Nash-MTL: the Nash bargaining solution for a step that all tasks share."""

from __future__ import annotations

from typing import Any

import keras

from models.balancing.evidence import Evidence
from models.balancing.fair_shares import fair_shares
from models.balancing.inner_products import InnerProducts


@keras.saving.register_keras_serializable(package="gatewise")
class NashMTL(InnerProducts):
    """Follows the Nash bargaining solution of the tasks, in proportional fairness; suits losses of different scales.

    d = sum_i a_i g_i with a > 0 and g_i . d = 1 / a_i for each task i. With the inner products M: M a = 1 / a. d maximizes
    sum_i log(g_i . d) among directions of its length. Scaling the loss of a task does not change the direction.

    Navon et al., Multi-Task Learning as a Bargaining Game, ICML 2022 (https://arxiv.org/abs/2202.01017). As in the
    authors' code, M is divided by its Frobenius norm: |d|^2 = T |M|_F, which keeps the sum of T equal gradients.
    Deviations: damped Newton steps on the convex problem with the same solution (`models.balancing.fair_shares`) in
    place of a sequence of problems for a solver; the coefficients are computed in every step; a gradient of 0 takes no
    part; the cosines of different gradients are multiplied by 1 - 1e-5, since opposed gradients have no solution;
    applies only to the shared variables.

    Cost of a step: one backward pass through the architecture per task, and memory for all task gradients of the shared
    variables.

    Args:
        tasks: names of the tasks.
        weights: weight of each task's loss, before its gradient is taken.
        over: where the gradients are combined, as in `GradientCombiner`.
    """

    def coefficients(self, products: Any, evidence: Evidence) -> Any:
        return fair_shares(products, alpha=1.0)
