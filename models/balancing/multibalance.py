"""MultiBalance: the shortest combination of the tasks' gradients at the encoded features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from models.balancing.cosines import cosines
from models.balancing.evidence import Evidence
from models.balancing.inner_products import InnerProducts
from models.balancing.simplex import projected
from models.balancing.small_systems import times

if TYPE_CHECKING:
    from models.recipe.option_types import CombinedPlace, Decay, LearningRate, Strength


@keras.saving.register_keras_serializable(package="gatewise")
class MultiBalance(InnerProducts):
    """Follows the shortest combination of the task gradients of the encoded features, slowly; suits large models whose tasks conflict.

    With g_t the gradient of task t with respect to the encoded features of the batch, T tasks, and V the matrix of the v_t,

        u_t = decay u_t + (1 - decay) |g_t|,   v_t = u_t g_t / |g_t|
        lambda = P(lambda - step_size C (lambda + prior 1 / T)),   C_st = cos(g_s, g_t)
        d = T V lambda

    P projects onto the simplex: lambda_t >= 0, sum_t lambda_t = 1. It starts at 1 / T and follows the weights of the shortest
    combination, as MGDA computes them for each batch; `prior` pulls it towards equal weights of the tasks. The v_t
    have the running means as sizes, so that a batch with one large gradient does not unbalance the step.

    He et al., MultiBalance: Multi-Objective Gradient Balancing in Industrial-Scale Multi-Task Recommendation System, 2024
    (https://arxiv.org/abs/2411.11871). Deviations: the paper's representation is what the towers of the tasks read; here it is what
    the architecture reads, so that one pass serves backbone and embedding tables, and the layers that an architecture shares get
    the plain sum. In the step of lambda, cosines replace the products of the v_t, so that it does not depend on the units of the
    losses. The factor T keeps the sum of equal gradients. The running means have no bias toward their start at 0. A task without
    an observed example in the batch, or with a gradient that is 0 or not finite, keeps its u_t and lambda_t, and the others share
    what is left.

    Cost of a step: for each task one backward pass through the architecture without gradients of variables, and memory for all
    task gradients of the encoded features of the batch.

    Args:
        tasks: names of the tasks.
        weights: weight of each task's loss, before its gradient is taken.
        decay: share of the previous mean in the running mean of the sizes.
        step_size: step size of lambda.
        prior: strength of the pull towards equal lambda_t.
        over: where the gradients are combined, as in `GradientCombiner`.
    """

    def __init__(
        self,
        tasks: tuple[str, ...],
        weights: tuple[float, ...],
        *,
        decay: Decay = 0.99,
        step_size: LearningRate = 0.01,
        prior: Strength = 0.1,
        over: CombinedPlace = "encoded",
        **layer: Any,
    ) -> None:
        super().__init__(tasks, weights, over=over, **layer)
        self.decay = decay
        self.step_size = step_size
        self.prior = prior

    def build(self, input_shape: Any = None) -> None:
        self.means = self.add_state("means")
        """The u_t."""
        self.updates = self.add_state("updates")
        self.shares = self.add_state("shares", "ones")
        """T lambda_t."""

    def coefficients(self, products: Any, evidence: Evidence) -> Any:
        lengths, present, matrix = cosines(products, ridge=0.0)
        takes_part = ops.logical_and(evidence.observed, present > 0)
        updates = self.updates.value + ops.cast(takes_part, "float32")
        decay, sizes = ops.convert_to_tensor(self.decay, dtype="float32"), self.means.value
        newest = (1.0 - decay) / (1.0 - ops.power(decay, ops.maximum(updates, 1.0)))  # 1 in the first step
        sizes = ops.where(takes_part, sizes + newest * (lengths - sizes), sizes)
        shares = self.shares.value
        parts, total = moved(shares, matrix, takes_part, self.step_size, self.prior)
        self.updates.assign(updates)
        self.means.assign(sizes)
        self.shares.assign(ops.where(takes_part, total * parts, shares))
        count = ops.sum(ops.cast(takes_part, "float32"))
        return ops.where(takes_part, count * parts * sizes / lengths, 0.0)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "decay": self.decay, "step_size": self.step_size, "prior": self.prior}


def moved(shares: Any, matrix: Any, takes_part: Any, step_size: float, prior: float) -> tuple[Any, Any]:
    """The lambda of the tasks that take part after one step: (task,) with the sum 1, and the sum of their shares before it.

    Args:
        shares: (task,) in proportion to lambda, before the step.
        matrix: (task, task) cosines of the gradients.
        takes_part: (task,) bool.
        step_size, prior: options of `MultiBalance`.
    """
    mask = ops.cast(takes_part, "float32")
    equal = ops.divide_no_nan(mask, ops.sum(mask))
    total = ops.sum(mask * shares)
    before = ops.where(total > 0, ops.divide_no_nan(mask * shares, total), equal)
    return projected(before - step_size * times(matrix, before + prior * equal), takes_part), total
