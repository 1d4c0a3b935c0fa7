"""DWA: task weights from the rate at which each loss falls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from models.balancing.base import Weighting
from models.balancing.evidence import Evidence
from models.balancing.softmax import softmax

if TYPE_CHECKING:
    from models.recipe.option_types import Steps, Temperature


@keras.saving.register_keras_serializable(package="gatewise")
class DWA(Weighting):
    """Gives more weight to tasks whose loss falls slowly (dynamic weight average); suits tasks that learn at different speeds.

    With L_t(k) the mean loss of task t in its window k and T tasks,

        r_t = L_t(k - 1) / L_t(k - 2)
        v_t = T exp(r_t / temperature) / sum_j exp(r_j / temperature)

    A step follows sum_t w_t v_t L_t, with the recipe's weights w_t. The ratio r_t is 1 until the task has two full windows.

    Liu et al., End-to-End Multi-Task Learning with Attention, CVPR 2019, section 3.3 (https://arxiv.org/abs/1803.10704).
    Deviations: the paper's windows are epochs. Here a window is `window` batches with an observed example of the task, so
    that the weights adapt within an epoch and a rarely observed task has means of as many batches as the others. A batch
    with a loss that is not finite is excluded. The recipe's weights are separate factors.

    Requires non-negative losses. Cost of a step: negligible, four numbers of state per task.

    Args:
        tasks: names of the tasks.
        weights: weight of each task's loss, multiplied by v_t.
        window: number of batches in a window.
        temperature: a larger value makes the weights more equal.
    """

    needs_non_negative = True

    def __init__(
        self,
        tasks: tuple[str, ...],
        weights: tuple[float, ...],
        *,
        window: Steps = 100,
        temperature: Temperature = 2.0,
        **layer: Any,
    ) -> None:
        super().__init__(tasks, weights, **layer)
        self.window = window
        self.temperature = temperature

    def build(self, input_shape: Any = None) -> None:
        self.mean = self.add_state("mean")
        """Mean loss of the batches of the running window."""
        self.batches = self.add_state("batches")
        """Number of these batches."""
        self.last = self.add_state("last")
        """L_t(k - 1); 0 until it is known."""
        self.before_last = self.add_state("before_last")
        """L_t(k - 2); 0 until it is known."""

    def weigh(self, evidence: Evidence) -> Any:
        fixed = ops.convert_to_tensor(self.task_weights, dtype="float32")
        last, before_last = self.last.value, self.before_last.value
        known = ops.logical_and(last > 0, before_last > 0)
        ratios = ops.where(known, last / ops.where(known, before_last, 1.0), 1.0)
        weights = fixed * len(self.tasks) * softmax(ratios / self.temperature, ops.ones_like(known))
        # The update comes after the weights: a step's own loss is no reason for its weight.
        losses = ops.stop_gradient(ops.cast(evidence.losses, "float32"))
        counts = ops.logical_and(evidence.observed, ops.isfinite(losses))
        batches = self.batches.value + ops.cast(counts, "float32")
        mean = self.mean.value
        mean = ops.where(counts, mean + (losses - mean) / ops.maximum(batches, 1.0), mean)
        full = batches >= self.window
        self.before_last.assign(ops.where(full, last, before_last))  # first: a variable is read when it is used
        self.last.assign(ops.where(full, mean, last))
        self.mean.assign(ops.where(full, 0.0, mean))
        self.batches.assign(ops.where(full, 0.0, batches))
        return weights

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "window": self.window, "temperature": self.temperature}
