"""FairGrad: a step whose gains are alpha-fair between the tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras

from models.balancing.evidence import Evidence
from models.balancing.fair_shares import fair_shares
from models.balancing.inner_products import InnerProducts

if TYPE_CHECKING:
    from models.recipe.option_types import CombinedPlace, Fairness


@keras.saving.register_keras_serializable(package="gatewise")
class FairGrad(InnerProducts):
    """Follows the direction whose gains are alpha-fair between the tasks; suits tasks of which some stay behind.

    The gain of a task is g_i . d. With the inner products M of the task gradients: d = sum_i a_i g_i with a > 0 and
    M a = a^(-1 / alpha). d maximizes sum_i (g_i . d)^(1 - alpha) / (1 - alpha) among directions of its length.

    Ban and Ji, Fair Resource Allocation in Multi-Task Learning, ICML 2024 (https://arxiv.org/abs/2402.15638).
    Deviations: d is scaled to |d|^2 = T |M|_F, with T the number of gradients other than 0 and the Frobenius norm of M,
    which keeps the sum of equal gradients; damped Newton steps on the convex problem with the same solution
    (`models.balancing.fair_shares`) in place of least squares; a gradient of 0 takes no part; cosines are multiplied by
    1 - 1e-5, since opposed gradients have no solution; applies only to the shared variables.

    Cost of a step: one backward pass through the architecture per task, and memory for all task gradients of the shared
    variables.

    Args:
        tasks: names of the tasks.
        weights: weight of each task's loss, before its gradient is taken.
        alpha: 1: proportional fairness, as Nash-MTL. 2: minimal potential delay. A larger value favors the smallest gain
            more.
        over: where the gradients are combined, as in `GradientCombiner`.
    """

    def __init__(
        self,
        tasks: tuple[str, ...],
        weights: tuple[float, ...],
        *,
        alpha: Fairness = 2.0,
        over: CombinedPlace = "shared",
        **layer: Any,
    ) -> None:
        super().__init__(tasks, weights, over=over, **layer)
        self.alpha = alpha

    def coefficients(self, products: Any, evidence: Evidence) -> Any:
        return fair_shares(products, self.alpha)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "alpha": self.alpha}
