"""PCGrad: gradients that point against each other lose what is in conflict."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from models.balancing.base import GradientCombiner
from models.balancing.evidence import Evidence


@keras.saving.register_keras_serializable(package="gatewise")
class PCGrad(GradientCombiner):
    """Removes from each task's gradient what conflicts with another's: for tasks that undo each other's progress.

    For each task i, for the other tasks j in random order: if g_i . g_j < 0, g_i -= (g_i . g_j) / |g_j|^2 g_j, where
    g_j is task j's unchanged gradient. The results are summed.

    Yu et al., Gradient Surgery for Multi-Task Learning, NeurIPS 2020 (https://arxiv.org/abs/2001.06782).
    Deviation: only over the variables that the tasks share; embedding tables get the plain sum. It is computed in the
    coordinates of the tasks' gradients (the projected gradients are combinations of them), which needs their inner
    products once and not one pass over the parameters for each pair.

    Cost of a step: one way back through the architecture for each task, and the tasks' gradients of the shared
    variables in memory at once.

    Args:
        tasks: names of the tasks.
        weights: weight of each task's loss, before its gradient is taken.
    """

    def __init__(self, tasks: tuple[str, ...], weights: tuple[float, ...], **layer: Any) -> None:
        super().__init__(tasks, weights, **layer)
        self.seed_generator = keras.random.SeedGenerator()

    def combine(self, evidence: Evidence) -> Any:
        tasks = len(self.tasks)
        # Row i: a random order of the tasks for task i.
        order = ops.argsort(keras.random.uniform((tasks, tasks), seed=self.seed_generator), axis=-1)
        return project(evidence.gradients, order)


def project(gradients: Any, order: Any) -> Any:
    """Sum of the gradients, each cleared of its conflicts with the others in the order given.

    Args:
        gradients: (task, parameter).
        order: (task, task) int; row i is the order in which task i visits the tasks. Itself it passes over.

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
        # A gradient of 0 conflicts with nothing, so the 1 is never used; it keeps 0 / 0 out.
        step = ops.where(conflict, product / ops.where(square > 0, square, 1.0), 0.0)
        coefficients -= ops.expand_dims(step, -1) * ops.one_hot(other, tasks, dtype=products.dtype)
    return ops.matmul(ops.sum(coefficients, axis=0), gradients)
