"""GradNorm: the weights move until every task pulls as hard as its progress asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from models.balancing.base import Weighting
from models.balancing.evidence import Evidence

if TYPE_CHECKING:
    from models.recipe.option_types import Asymmetry, LearningRate


@keras.saving.register_keras_serializable(package="gatewise")
class GradNorm(Weighting):
    """Weights that bring the tasks' gradient norms together, more for a task that lags: for losses of unlike sizes.

    With W the last shared layer, n_i = |grad_W L_i|, G_i = v_i n_i, and r_i = (L_i / L_i(0)) / mean_j (L_j / L_j(0)):
    the v_i descend the gradient of sum_i |G_i - mean_j(G_j) r_i^alpha|, whose targets are constants, and are then scaled
    to sum to the number of tasks. They start at 1. A step follows sum_i w_i v_i L_i, with the v_i from before the update
    and w_i the recipe's weights.

    Chen et al., GradNorm: Gradient Normalization for Adaptive Loss Balancing in Deep Multitask Networks, ICML 2018
    (https://arxiv.org/abs/1711.02257). Deviations: the descent is in log v_i and of the sum divided by mean(G), so that
    no weight becomes negative and the losses' unit does not matter; it is plain, v_i <- v_i exp(-learning_rate
    sign(G_i - target_i) G_i / mean(G)); L_i(0) is the loss of the first batch in which the task was observed; a task that
    the batch has no observed example of, or whose loss or gradient is not finite, keeps its v_i and is in no mean; the
    recipe's weights stand outside, so that the v_i do not undo them; W has its layer's bias in it. Where nothing is
    shared the v_i stay at 1.

    Needs losses that are not negative. Cost of a step: for each task one more way back, down to the last shared layer.

    Args:
        tasks: names of the tasks.
        weights: weight of each task's loss, outside of its v_i.
        alpha: 0: all gradients of one norm. The larger, the more a task that lags behind is helped.
        learning_rate: of the v_i.
    """

    over = "last_shared"
    needs_non_negative = True

    def __init__(
        self,
        tasks: tuple[str, ...],
        weights: tuple[float, ...],
        *,
        alpha: Asymmetry = 1.5,
        learning_rate: LearningRate = 0.025,
        **layer: Any,
    ) -> None:
        super().__init__(tasks, weights, **layer)
        self.alpha = alpha
        self.learning_rate = learning_rate

    def build(self, input_shape: Any = None) -> None:
        def state(initializer: str, name: str) -> Any:
            return self.add_weight(
                shape=(len(self.tasks),),
                initializer=initializer,
                dtype="float32",
                trainable=False,
                aggregation="only_first_replica",
                name=name,
            )

        self.balance = state("ones", "balance")
        self.first_losses = state("zeros", "first_losses")
        """L_i(0); 0 until the task was observed."""

    def weigh(self, evidence: Evidence) -> Any:
        balance = self.balance.value
        # Before the update: the value of a variable is read where it is used.
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
        return {**super().get_config(), "alpha": self.alpha, "learning_rate": self.learning_rate}


def updated(
    balance: Any, norms: Any, losses: Any, first: Any, takes_part: Any, alpha: float, learning_rate: float
) -> Any:
    """The weights v_i after one step.

    Args:
        balance: (task,) v_i.
        norms: (task,) n_i.
        losses, first: (task,) L_i and L_i(0).
        takes_part: (task,) bool; the others keep their weight, and what they hold may be anything.
        alpha, learning_rate: of `GradNorm`.

    Returns:
        (task,) of the same sum.
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
