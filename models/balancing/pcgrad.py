"""PCGrad: removes conflicting components of task gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from models.balancing.base import GradientCombiner
from models.balancing.evidence import Evidence

if TYPE_CHECKING:
    from models.recipe.option_types import CombinedPlace


@keras.saving.register_keras_serializable(package="gatewise")
class PCGrad(GradientCombiner):
    """Projects each task's gradient to remove conflicts with the gradients of other tasks; suits tasks with conflicting gradients.

    For each task i and each other task j, in random order: if g_i . g_j < 0, g_i -= (g_i . g_j) / |g_j|^2 g_j, where
    g_j is task j's unchanged gradient. The results are summed.

    Yu et al., Gradient Surgery for Multi-Task Learning, NeurIPS 2020 (https://arxiv.org/abs/2001.06782).
    Deviation: applies only to the shared variables; embedding tables get the plain sum. The projected gradients are
    linear combinations of the task gradients, so the code computes coefficients from their inner products, without a
    pass over the parameters per pair.

    Cost of a step: one backward pass through the architecture per task, and memory for all task gradients of the shared
    variables.

    Args:
        tasks: names of the tasks.
        weights: weight of each task's loss, before its gradient is taken.
        over: where the gradients are combined, as in `GradientCombiner`.
    """

    def __init__(
        self, tasks: tuple[str, ...], weights: tuple[float, ...], *, over: CombinedPlace = "shared", **layer: Any
    ) -> None:
        super().__init__(tasks, weights, over=over, **layer)
        self.seed_generator = keras.random.SeedGenerator()

    def combine(self, evidence: Evidence) -> Any:
        tasks = len(self.tasks)
        # Row i: a random order of the tasks for task i.
        order = ops.argsort(keras.random.uniform((tasks, tasks), seed=self.seed_generator), axis=-1)
        return project(evidence.gradients, order)


def project(gradients: Any, order: Any) -> Any:
    """Sum of the gradients, each projected to remove its conflicts with the others in the given order.

    Args:
        gradients: (task, parameter).
        order: (task, task) int; row i is the order in which task i visits the tasks. It skips itself.

    Returns:
        (parameter,)
    """
    tasks = int(gradients.shape[0])
    products = ops.matmul(gradients, ops.transpose(gradients))  # (task, task)
    squares = ops.diagonal(products)
    itself = ops.arange(tasks)
    coefficients = ops.eye(tasks, dtype=products.dtype)  # row i: the projected gradient i in terms of the gradients
    for k in range(tasks):
        other = ops.cast(order[:, k], itself.dtype)
        product = ops.sum(coefficients * ops.take(products, other, axis=0), axis=1)  # (projected g_i) . g_other
        conflict = ops.logical_and(product < 0, ops.not_equal(other, itself))
        square = ops.take(squares, other)
        # A gradient of 0 conflicts with none, so the 1 is never used; it prevents 0 / 0.
        step = ops.where(conflict, product / ops.where(square > 0, square, 1.0), 0.0)
        coefficients -= ops.expand_dims(step, -1) * ops.one_hot(other, tasks, dtype=products.dtype)
    return ops.matmul(ops.sum(coefficients, axis=0), gradients)
