"""MetaBalance: task gradients of the size of the target task's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from models.balancing.evidence import Evidence
from models.balancing.inner_products import InnerProducts

if TYPE_CHECKING:
    from models.recipe.option_types import CombinedPlace, Decay, Share, TaskName


@keras.saving.register_keras_serializable(package="gatewise")
class MetaBalance(InnerProducts):
    """Scales each task's gradient toward the size of the target task's; suits one target task with auxiliary tasks that help it.

    With g_t the gradient of task t over the shared variables, 0 the target task, and m_t the running mean of |g_t|,

        d = sum_t w_t (relax m_0 / m_t + 1 - relax) g_t

    with the recipe's weights w_t.

    He et al., MetaBalance: Improving Multi-Task Recommendations via Adapting Gradient Magnitudes of Auxiliary Tasks, WWW 2022
    (https://arxiv.org/abs/2203.06801), the variant that both enlarges and reduces. Deviations: the paper balances each
    parameter tensor on its own, here all shared variables have one norm per task; embedding tables get the plain sum. The
    running means have no bias toward their start at 0. The recipe's weights are separate factors, so that the ratio does not
    cancel them. A task without an observed example in the batch, or with a gradient that is 0 or not finite, keeps its mean;
    until both tasks have one, the ratio is 1.

    Cost of a step: one backward pass through the architecture per task, and memory for all task gradients of the shared
    variables.

    Args:
        tasks: names of the tasks.
        weights: weight of each task's loss.
        target: name of the target task. Empty: the task of the largest weight, the first if there are several.
        relax: 0 leaves the gradients as they are. 1 gives all the size of the target task's.
        decay: share of the previous mean in the running mean of the norms.
        over: where the gradients are combined, as in `GradientCombiner`.
    """

    def __init__(
        self,
        tasks: tuple[str, ...],
        weights: tuple[float, ...],
        *,
        target: TaskName = "",
        relax: Share = 0.7,
        decay: Decay = 0.9,
        over: CombinedPlace = "shared",
        **layer: Any,
    ) -> None:
        super().__init__(tasks, weights, over=over, **layer)
        if target and target not in self.tasks:
            raise ValueError(f"MetaBalance: the target {target!r} is none of the tasks {self.tasks}.")
        self.target = target
        self.relax = relax
        self.decay = decay
        self._target = (
            self.tasks.index(target) if target else max(range(len(self.tasks)), key=self.task_weights.__getitem__)
        )

    def build(self, input_shape: Any = None) -> None:
        self.means = self.add_state("means")
        """Running means of the norms, without the recipe's weights and before the correction of their start at 0."""
        self.updates = self.add_state("updates")

    def coefficients(self, products: Any, evidence: Evidence) -> Any:
        fixed = ops.convert_to_tensor(self.task_weights, dtype="float32")
        norms = ops.divide_no_nan(ops.sqrt(ops.diagonal(products)), fixed)
        takes_part = ops.logical_and(evidence.observed, ops.logical_and(norms > 0, ops.isfinite(norms)))
        updates = self.updates.value + ops.cast(takes_part, "float32")
        means = self.means.value
        means = ops.where(takes_part, self.decay * means + (1.0 - self.decay) * norms, means)
        self.updates.assign(updates)
        self.means.assign(means)
        corrected = ops.divide_no_nan(means, 1.0 - ops.power(self.decay, updates))
        target = corrected[self._target]
        known = ops.logical_and(corrected > 0, target > 0)
        ratios = ops.where(known, target / ops.where(known, corrected, 1.0), 1.0)
        return self.relax * ratios + 1.0 - self.relax

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "target": self.target, "relax": self.relax, "decay": self.decay}
