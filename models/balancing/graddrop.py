"""GradDrop: keeps the gradients of one sign for each parameter, drawn by the share of that sign."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from models.balancing.base import GradientCombiner
from models.balancing.evidence import Evidence
from models.layers.random_bits import uniform

if TYPE_CHECKING:
    from models.recipe.option_types import CombinedPlace, Share


@keras.saving.register_keras_serializable(package="gatewise")
class GradDrop(GradientCombiner):
    """Keeps the gradients of one randomly drawn sign for each parameter; suits many tasks with conflicting gradients.

    For each parameter, with the gradients g_i of the tasks: the positive sign purity is P = (1 + sum_i g_i / sum_i |g_i|) / 2.
    With U uniform in (0, 1), the positive g_i are kept if P > U, otherwise the negative ones. The others are multiplied by `leak`.
    The results are summed. Parameters whose gradients agree in sign get the plain sum.

    Chen et al., Just Pick a Sign: Optimizing Deep Multitask Models with Gradient Sign Dropout, NeurIPS 2020
    (https://arxiv.org/abs/2010.06808). Deviations: applied to the gradients of the shared variables or of the encoded features, while the paper
    applies it to those of an activation, multiplied by the activation's sign and summed over the batch; one leak for all
    tasks.

    Cost of a step: one backward pass through the architecture per task, and memory for all task gradients of the shared
    variables.

    Args:
        tasks: names of the tasks.
        weights: weight of each task's loss, before its gradient is taken.
        leak: factor of the gradients of the other sign. 1: the plain sum.
        over: where the gradients are combined, as in `GradientCombiner`.
    """

    def __init__(
        self,
        tasks: tuple[str, ...],
        weights: tuple[float, ...],
        *,
        leak: Share = 0.0,
        over: CombinedPlace = "shared",
        **layer: Any,
    ) -> None:
        super().__init__(tasks, weights, over=over, **layer)
        self.leak = leak
        self.seed_generator = keras.random.SeedGenerator()

    def combine(self, evidence: Evidence) -> Any:
        gradients = ops.cast(evidence.gradients, "float32")
        draw = uniform(self.seed_generator.next(), (int(gradients.shape[1]),))
        return kept(gradients, draw, self.leak)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "leak": self.leak}


def kept(gradients: Any, draw: Any, leak: float) -> Any:
    """The sum of the gradients of the drawn sign, and of the others times `leak`.

    Args:
        gradients: (task, parameter).
        draw: (parameter,) in (0, 1).
        leak: 0 to 1.

    Returns:
        (parameter,)
    """
    positive = ops.sum(ops.maximum(gradients, 0.0), axis=0)
    negative = ops.sum(ops.minimum(gradients, 0.0), axis=0)
    purity = ops.divide_no_nan(positive, positive - negative)  # (1 + sum g / sum |g|) / 2
    takes_positive = purity > draw
    return ops.where(takes_positive, positive + leak * negative, negative + leak * positive)
