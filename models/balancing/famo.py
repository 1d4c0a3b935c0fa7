"""FAMO: task weights that let all losses fall at the same rate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from models.balancing.base import Weighting
from models.balancing.evidence import Evidence
from models.balancing.proportional import proportional
from models.balancing.softmax import softmax

if TYPE_CHECKING:
    from models.recipe.option_types import LearningRate, Strength

_SMALLEST = 1e-8


@keras.saving.register_keras_serializable(package="gatewise")
class FAMO(Weighting):
    """Learns weights under which the logarithms of all losses fall at the same rate; suits many tasks of different scales and speeds.

    With logits xi_t that start at 0 and the recipe's weights w_t,

        z = softmax(xi),  a step follows sum_t v_t grad L_t with v_t in proportion to w_t z_t / L_t
        delta_t = log L_t(before) - log L_t(now)
        xi <- Adam(xi, J(z)^T delta + gamma xi),  (J^T delta)_t = z_t (delta_t - sum_j z_j delta_j)

    The task whose loss falls least gets more weight. The v_t of the observed tasks sum to their w_t.

    Liu et al., FAMO: Fast Adaptive Multitask Optimization, NeurIPS 2023 (https://arxiv.org/abs/2306.03792).
    Deviations: the paper evaluates the losses of the same batch again after the step, one more forward pass. Here delta
    compares the task's loss in this batch with that in its last batch, without a second pass. So delta has the noise of two
    batches. The noise of a batch enters with one sign and leaves with the other in the next, so it does not add up, but
    Adam divides by it: the weights move more slowly than the paper's, and differences of rate that are far below the noise
    take many steps to show. Adam is that of the authors' code, in which gamma is added to the gradient; the paper's algorithm
    has plain gradient descent. The paper's v_t sum to 1 and have no w_t. A task without an observed example in the batch, or
    with a loss that is not finite, keeps its state and is excluded from the sums. A loss below 1e-8 counts as 1e-8.

    Requires non-negative losses. Cost of a step: negligible, five numbers of state per task.

    Args:
        tasks: names of the tasks.
        weights: weight of each task's loss, multiplied by z_t / L_t.
        learning_rate: learning rate of the xi.
        gamma: pulls the xi to 0, and so the z_t to equal parts.
    """

    needs_non_negative = True

    def __init__(
        self,
        tasks: tuple[str, ...],
        weights: tuple[float, ...],
        *,
        learning_rate: LearningRate = 0.025,
        gamma: Strength = 0.001,
        **layer: Any,
    ) -> None:
        super().__init__(tasks, weights, **layer)
        self.learning_rate = learning_rate
        self.gamma = gamma

    def build(self, input_shape: Any = None) -> None:
        self.logits = self.add_state("logits")
        self.last = self.add_state("last")
        """Loss of the task's last batch; 0 until it is observed."""
        self.updates = self.add_state("updates")
        self.momentum = self.add_state("momentum")
        self.velocity = self.add_state("velocity")
        """Adam's running means of the gradient and of its square, and their number of updates."""

    def weigh(self, evidence: Evidence) -> Any:
        fixed = ops.convert_to_tensor(self.task_weights, dtype="float32")
        losses = ops.stop_gradient(ops.cast(evidence.losses, "float32"))
        takes_part = ops.logical_and(evidence.observed, ops.isfinite(losses))
        losses = ops.where(takes_part, ops.maximum(losses, _SMALLEST), 1.0)
        last = self.last.value
        moves = ops.logical_and(takes_part, last > 0)
        delta = ops.where(moves, ops.log(ops.where(moves, last, 1.0)) - ops.log(losses), 0.0)
        logits = self._moved(delta, moves)
        self.logits.assign(logits)
        self.last.assign(ops.where(takes_part, losses, last))
        return proportional(fixed * softmax(logits, takes_part) / losses, fixed, evidence.observed)

    def _moved(self, delta: Any, moves: Any) -> Any:
        """The logits after one step of Adam, which also updates its state."""
        logits = self.logits.value
        shares = softmax(logits, moves)
        gradient = shares * (delta - ops.sum(shares * delta)) + self.gamma * logits
        updates = self.updates.value + ops.cast(moves, "float32")
        momentum = ops.where(moves, 0.9 * self.momentum.value + 0.1 * gradient, self.momentum.value)
        velocity = ops.where(moves, 0.999 * self.velocity.value + 0.001 * ops.square(gradient), self.velocity.value)
        self.updates.assign(updates)
        self.momentum.assign(momentum)
        self.velocity.assign(velocity)
        count = ops.maximum(updates, 1.0)
        first, second = momentum / (1.0 - ops.power(0.9, count)), velocity / (1.0 - ops.power(0.999, count))
        return ops.where(moves, logits - self.learning_rate * first / (ops.sqrt(second) + 1e-8), logits)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "learning_rate": self.learning_rate, "gamma": self.gamma}
