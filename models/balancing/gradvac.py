"""GradVac: turns task gradients toward each other until their cosines are as usual."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from models.balancing.evidence import Evidence
from models.balancing.inner_products import InnerProducts
from models.balancing.small_systems import times
from models.layers.random_bits import uniform

if TYPE_CHECKING:
    from models.recipe.option_types import CombinedPlace, Share

HIGHEST = 0.99
"""Of the magnitude of a target, so that its sine is not 0."""


@keras.saving.register_keras_serializable(package="gatewise")
class GradVac(InnerProducts):
    """Turns each task's gradient toward others until their cosine reaches its running mean; suits tasks that are related to different degrees.

    For each task i and each other task j, in random order, with h_i the gradient of task i so far, c = cos(h_i, g_j) and
    the target t = mean_ij: if c < t, h_i += |h_i| (t sqrt(1 - c^2) - c sqrt(1 - t^2)) / (|g_j| sqrt(1 - t^2)) g_j, after
    which cos(h_i, g_j) = t. Then mean_ij = (1 - beta) t + beta c. The means start at 0, where the rule is that of PCGrad.
    The h_i are summed.

    Wang et al., Gradient Vaccine: Investigating and Improving Multi-task Optimization in Massively Multilingual Models,
    ICLR 2021 (https://arxiv.org/abs/2010.05874). The mean changes whether or not c < t, as in the paper; if it changed
    only if c < t, as in LibMTL, it could never rise above 0. Deviations: a pair with a gradient of 0 keeps its mean;
    |t| is limited to 0.99; one group of parameters; applies only to the shared variables.

    Cost of a step: one backward pass through the architecture per task, and memory for all task gradients of the shared
    variables.

    Args:
        tasks: names of the tasks.
        weights: weight of each task's loss, before its gradient is taken.
        beta: weight of the newest cosine in the running mean.
        over: where the gradients are combined, as in `GradientCombiner`.
    """

    def __init__(
        self,
        tasks: tuple[str, ...],
        weights: tuple[float, ...],
        *,
        beta: Share = 0.01,
        over: CombinedPlace = "shared",
        **layer: Any,
    ) -> None:
        super().__init__(tasks, weights, over=over, **layer)
        self.beta = beta
        self.seed_generator = keras.random.SeedGenerator()

    def build(self, input_shape: Any = None) -> None:
        self.targets = self.add_weight(
            shape=(len(self.tasks), len(self.tasks)),
            initializer="zeros",
            dtype="float32",
            trainable=False,
            aggregation="only_first_replica",
            name="targets",
        )

    def coefficients(self, products: Any, evidence: Evidence) -> Any:
        tasks = len(self.tasks)
        # Row i: a random order of the tasks for task i.
        order = ops.argsort(uniform(self.seed_generator.next(), (tasks, tasks)), axis=-1)
        coefficients, targets = vaccinated(products, order, ops.convert_to_tensor(self.targets), self.beta)
        self.targets.assign(targets)
        return ops.sum(coefficients, axis=0)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "beta": self.beta}


def vaccinated(products: Any, order: Any, targets: Any, beta: float) -> tuple[Any, Any]:
    """The h_i in terms of the gradients, and the new targets.

    Args:
        products: (task, task) inner products.
        order: (task, task) int; row i is the order in which task i visits the tasks. It skips itself.
        targets: (task, task) running means of the cosines.
        beta: weight of the newest cosine.

    Returns:
        Coefficients (task, task), row i those of h_i; targets (task, task).
    """
    tasks = int(products.shape[0])
    lengths = ops.sqrt(ops.diagonal(products))
    itself = ops.arange(tasks)
    coefficients = ops.eye(tasks, dtype="float32")
    for k in range(tasks):
        other = ops.cast(order[:, k], itself.dtype)
        chosen = ops.one_hot(other, tasks, dtype="float32")  # (task, task)
        inner = times(products, coefficients)  # row i: h_i . g_j for all j
        product = ops.sum(chosen * inner, axis=1)
        length = ops.sqrt(ops.maximum(ops.sum(coefficients * inner, axis=1), 0.0))
        other_length = ops.take(lengths, other)
        cosine = ops.clip(ops.divide_no_nan(product, length * other_length), -1.0, 1.0)
        is_pair = ops.logical_and(length * other_length > 0, ops.not_equal(other, itself))
        mean = ops.sum(chosen * targets, axis=1)
        target = ops.clip(mean, -HIGHEST, HIGHEST)
        sine, target_sine = ops.sqrt(1.0 - cosine**2), ops.sqrt(1.0 - target**2)
        step = ops.divide_no_nan(length * (target * sine - cosine * target_sine), other_length * target_sine)
        turns = ops.logical_and(is_pair, cosine < target)
        coefficients += chosen * ops.expand_dims(ops.where(turns, step, 0.0), -1)
        targets = targets + chosen * ops.expand_dims(ops.where(is_pair, beta * (cosine - mean), 0.0), -1)
    return coefficients, targets
