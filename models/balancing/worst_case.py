"""WorstCase: the weight on the task with the largest loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from models.balancing.base import Weighting
from models.balancing.evidence import Evidence
from models.balancing.proportional import proportional
from models.balancing.softmax import softmax

if TYPE_CHECKING:
    from models.recipe.option_types import Smoothness, StepsOrZero


@keras.saving.register_keras_serializable(package="gatewise")
class WorstCase(Weighting):
    """Minimizes the largest weighted loss, or a smooth maximum of them; suits tasks none of which may be left behind.

    With b_t the reference loss of task t, r_t = L_t / b_t and the recipe's weights w_t, a step follows the gradient of

        smoothness log sum_t exp(w_t r_t / smoothness)      (smooth Tchebycheff; `smoothness` above 0)
        max_t w_t r_t                                       (Tchebycheff; `smoothness` 0; equal maxima share the step)

    that is sum_t v_t grad L_t with v_t in proportion to softmax(w r / smoothness)_t w_t / b_t, scaled so that the v_t of
    the observed tasks sum to their w_t. Losses have different units, and a rare label has a small cross-entropy whatever the
    network predicts. The reference removes both: the network starts at the best constant prediction of each task, so r_t
    starts near 1, and 1 - r_t is the share of its loss that the task has learned so far.

    A weight here sets what counts as equal, w_a r_a = w_b r_b, and not how large a share of the step a task gets: a task of
    twice the weight is the worst one until its r_t is half of the others'. Leave the weights equal if in doubt.

    Lin et al., Smooth Tchebycheff Scalarization for Multi-Objective Optimization, ICML 2024
    (https://arxiv.org/abs/2402.19078). Deviations: the ideal point z is 0, the lower bound of the losses; the
    authors' code also divides by the mean loss of an early epoch, but takes the maximum of log(L_t / b_t); the scale of the
    weights; tasks without an observed example in the batch are excluded. b_t is the mean loss of the first
    `reference_steps` batches with an observed example of the task, and until then the mean so far. A task that cannot
    learn stays the worst one: where that happens, compare excess losses instead of losses (`excess_mtl`).

    Requires non-negative losses. Cost of a step: negligible, two numbers of state per task.

    Args:
        tasks: names of the tasks.
        weights: weight of each task's relative loss in the maximum.
        smoothness: 0 puts all weight on the worst task. A larger value shares it with tasks whose weighted loss is within
            about this of the largest.
        reference_steps: number of batches of the reference loss. 0: no reference, b_t = 1.
    """

    needs_non_negative = True

    def __init__(
        self,
        tasks: tuple[str, ...],
        weights: tuple[float, ...],
        *,
        smoothness: Smoothness = 0.1,
        reference_steps: StepsOrZero = 100,
        **layer: Any,
    ) -> None:
        super().__init__(tasks, weights, **layer)
        self.smoothness = smoothness
        self.reference_steps = reference_steps

    def build(self, input_shape: Any = None) -> None:
        self.reference = self.add_state("reference")
        """b_t; 0 until the task is observed."""
        self.batches = self.add_state("batches")
        """Number of batches in b_t."""

    def weigh(self, evidence: Evidence) -> Any:
        fixed = ops.convert_to_tensor(self.task_weights, dtype="float32")
        losses = ops.stop_gradient(ops.cast(evidence.losses, "float32"))
        takes_part = ops.logical_and(evidence.observed, ops.isfinite(losses))
        early = ops.logical_and(takes_part, self.batches.value < self.reference_steps)
        batches = self.batches.value + ops.cast(early, "float32")
        reference = self.reference.value
        reference = ops.where(early, reference + (losses - reference) / ops.maximum(batches, 1.0), reference)
        self.batches.assign(batches)
        self.reference.assign(reference)
        unit = ops.where(reference > 0, reference, 1.0)
        return proportional(
            worst(fixed * losses / unit, takes_part, self.smoothness) * fixed / unit, fixed, evidence.observed
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "smoothness": self.smoothness, "reference_steps": self.reference_steps}


def worst(values: Any, takes_part: Any, smoothness: float) -> Any:
    """The gradient of the maximum, or of the smooth maximum, of the values that take part: (task,), of sum 1.

    Args:
        values: (task,), finite where `takes_part`.
        takes_part: (task,) bool.
        smoothness: 0: of the maximum, with equal parts for equal maxima.
    """
    if smoothness:
        return softmax(values / smoothness, takes_part)
    top = ops.logical_and(takes_part, values >= ops.max(ops.where(takes_part, values, -3e38)))
    return softmax(ops.zeros_like(values), top)
