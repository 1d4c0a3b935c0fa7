"""ExcessMTL: task weights that grow with the estimated excess risk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from models.balancing.base import Weighting
from models.balancing.evidence import Evidence
from models.balancing.softmax import softmax

if TYPE_CHECKING:
    from models.recipe.option_types import LearningRate, WeighedPlace


@keras.saving.register_keras_serializable(package="gatewise")
class ExcessMTL(Weighting):
    """Gives more weight to tasks that can still improve much; suits tasks of different label noise, where the largest loss misleads.

    The excess risk of a task is its loss less the lowest loss that the network can reach. A noisy task has a large loss and a
    small excess risk. With g_t the gradient of L_t over the shared variables, and T tasks,

        e_t = |g_t|^2 / sqrt(sum over steps of |g_t|^2), divided by its value at the task's first step
        alpha_t <- alpha_t exp(step_size e_t), then scaled to the sum T

    A step follows sum_t w_t alpha_t L_t, with the alpha_t from before the update and the recipe's weights w_t. Since e_t is
    relative to its start, the unit of a loss does not matter.

    He et al., Robust Multi-Task Learning with Excess Risks, ICML 2024 (https://arxiv.org/abs/2402.02009). Deviations: the
    paper estimates the curvature of each parameter, g_t^T diag(sum over steps of g_t^2)^(-1/2) g_t. Here one number per task
    replaces the diagonal, as AdaGrad-Norm does for AdaGrad, so that the state has T numbers in place of T times the shared
    parameters; the two agree if all parameters have gradients of the same size over time. The alpha_t are those from before
    the update. A task without an observed example in the batch, or with a gradient that is 0 or not finite, keeps its alpha_t
    and is excluded from the scaling. The recipe's weights are separate factors. Without shared variables the alpha_t stay
    at 1.

    Cost of a step: one more backward pass per task, down to the shared variables.

    Args:
        tasks: names of the tasks.
        weights: weight of each task's loss, multiplied by alpha_t.
        step_size: speed at which the alpha_t follow the excess risks.
        over: what the g_t are gradients of, as in `Balancer`.
    """

    def __init__(
        self,
        tasks: tuple[str, ...],
        weights: tuple[float, ...],
        *,
        step_size: LearningRate = 0.01,
        over: WeighedPlace = "shared",
        **layer: Any,
    ) -> None:
        super().__init__(tasks, weights, **layer)
        self.step_size = step_size
        self.over = over

    def build(self, input_shape: Any = None) -> None:
        self.alpha = self.add_state("alpha", "ones")
        self.squares = self.add_state("squares")
        """Sum over steps of |g_t|^2."""
        self.first = self.add_state("first")
        """e_t at the task's first step; 0 until then."""

    def weigh(self, evidence: Evidence) -> Any:
        alpha = self.alpha.value
        # Computed before the update: a variable is read when it is used.
        weights = ops.convert_to_tensor(self.task_weights, dtype="float32") * alpha
        if evidence.gradients is not None:
            now = ops.sum(ops.square(ops.cast(evidence.gradients, "float32")), axis=1)
            takes_part = ops.logical_and(evidence.observed, ops.logical_and(now > 0, ops.isfinite(now)))
            now = ops.where(takes_part, now, 0.0)
            squares = self.squares.value + now
            excess = ops.divide_no_nan(now, ops.sqrt(squares))
            first = ops.where(ops.logical_and(takes_part, self.first.value <= 0), excess, self.first.value)
            moved = updated(alpha, ops.divide_no_nan(excess, first), takes_part, self.step_size)
            self.squares.assign(squares)
            self.first.assign(first)
            self.alpha.assign(moved)
        return weights

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "step_size": self.step_size, "over": self.over}


def updated(alpha: Any, excess: Any, takes_part: Any, step_size: float) -> Any:
    """The weights after one step of exponentiated gradient: (task,) with the same sum.

    Args:
        alpha: (task,) above 0.
        excess: (task,) excess risks relative to their first.
        takes_part: (task,) bool. The other tasks keep their weights.
        step_size: option of `ExcessMTL`.
    """
    kept = ops.sum(ops.where(takes_part, alpha, 0.0))
    # At least e^-20 of the sum: a weight of exactly 0 could never grow again.
    shares = ops.maximum(softmax(ops.log(alpha) + step_size * excess, takes_part), 2e-9)
    return ops.where(takes_part, kept * shares, alpha)
