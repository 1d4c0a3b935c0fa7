"""GradNorm: task weights that balance gradient norms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from models.balancing.base import Weighting
from models.balancing.evidence import Evidence

if TYPE_CHECKING:
    from models.recipe.option_types import Asymmetry, LearningRate, WeighedPlace


@keras.saving.register_keras_serializable(package="gatewise")
class GradNorm(Weighting):
    """Learns weights that equalize the gradient norms of tasks and favor slowly learning tasks; suits losses of different scales.

    With W the last shared layer, n_i = |grad_W L_i|, G_i = v_i n_i, and r_i = (L_i / L_i(0)) / mean_j (L_j / L_j(0)):
    the v_i descend the gradient of sum_i |G_i - mean_j(G_j) r_i^alpha| with constant targets, and are then scaled to
    sum to the number of tasks. They start at 1. A step follows sum_i w_i v_i L_i, with the v_i from before the update
    and the recipe's weights w_i.

    Chen et al., GradNorm: Gradient Normalization for Adaptive Loss Balancing in Deep Multitask Networks, ICML 2018
    (https://arxiv.org/abs/1711.02257). Deviations: the descent is in log v_i and on the sum divided by mean(G), so that
    no weight becomes negative and the unit of the losses does not matter; it is plain gradient descent, v_i <- v_i
    exp(-learning_rate sign(G_i - target_i) G_i / mean(G)); L_i(0) is the loss of the first batch in which the task was
    observed; a task without an observed example in the batch, or with a loss or gradient that is not finite, keeps its
    v_i and is excluded from the means; the recipe's weights are separate factors, so that the v_i do not cancel them; W
    includes the bias of its layer. Without shared variables the v_i stay at 1.

    Requires non-negative losses. Cost of a step: one more backward pass per task, down to the last shared layer.

    Args:
        tasks: names of the tasks.
        weights: weight of each task's loss, multiplied by v_i.
        alpha: strength of the balancing. 0: equal gradient norms. A larger value favors slowly learning tasks more.
        learning_rate: learning rate of the v_i.
        over: what W is, as in `Balancer`. "encoded": the encoded features, as an approximation without gradients of variables.
    """

    needs_non_negative = True

    def __init__(
        self,
        tasks: tuple[str, ...],
        weights: tuple[float, ...],
        *,
        alpha: Asymmetry = 1.5,
        learning_rate: LearningRate = 0.025,
        over: WeighedPlace = "last_shared",
        **layer: Any,
    ) -> None:
        super().__init__(tasks, weights, **layer)
        self.alpha = alpha
        self.learning_rate = learning_rate
        self.over = over

    def build(self, input_shape: Any = None) -> None:
        self.balance = self.add_state("balance", "ones")
        self.first_losses = self.add_state("first_losses")
        """L_i(0); 0 until the task is observed."""

    def weigh(self, evidence: Evidence) -> Any:
        balance = self.balance.value
        # Computed before the update: a variable is read when it is used.
        weights = ops.convert_to_tensor(self.task_weights, dtype="float32") * balance
        if evidence.gradients is not None:
            losses = ops.stop_gradient(evidence.losses)
            norms = ops.sqrt(ops.sum(ops.square(evidence.gradients), axis=1))
            takes_part = ops.logical_and(evidence.observed, ops.isfinite(losses + norms))
            unknown = ops.equal(self.first_losses.value, 0)
            first = ops.where(ops.logical_and(takes_part, unknown), losses, self.first_losses.value)
            moved = updated(balance, norms, losses, first, takes_part, self.alpha, self.learning_rate)
            self.first_losses.assign(first)
            self.balance.assign(moved)
        return weights

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "alpha": self.alpha, "learning_rate": self.learning_rate, "over": self.over}


def updated(
    balance: Any, norms: Any, losses: Any, first: Any, takes_part: Any, alpha: float, learning_rate: float
) -> Any:
    """The weights v_i after one step.

    Args:
        balance: (task,) v_i.
        norms: (task,) n_i.
        losses, first: (task,) L_i and L_i(0).
        takes_part: (task,) bool. The other tasks keep their weights; their losses and norms may have any value.
        alpha, learning_rate: options of `GradNorm`.

    Returns:
        (task,) with the same sum.
    """
    count = ops.maximum(ops.sum(ops.cast(takes_part, "float32")), 1.0)

    def mean(values: Any) -> Any:
        return ops.sum(values) / count

    pulls = ops.where(takes_part, balance * norms, 0.0)  # G_i
    known = ops.logical_and(takes_part, first > 0)
    ratios = ops.where(known, ops.maximum(losses, 0.0) / ops.where(known, first, 1.0), 0.0)
    targets = mean(pulls) * ops.power(ops.divide_no_nan(ratios, mean(ratios)), alpha)
    descent = ops.sign(pulls - targets) * ops.divide_no_nan(pulls, mean(pulls))
    moved = ops.where(takes_part, balance * ops.exp(-learning_rate * descent), 0.0)
    kept = ops.sum(ops.where(takes_part, balance, 0.0))
    return ops.where(takes_part, moved * ops.divide_no_nan(kept, ops.sum(moved)), balance)
