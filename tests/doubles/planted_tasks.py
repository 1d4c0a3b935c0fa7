"""Linear tasks with weights that have a planted structure, and their fit by gradient descent."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from models.regularizers.base import ProximalTaskRegularizer, TaskRegularizer


def fit(
    regularizer: TaskRegularizer | None, planted: Any, tasks: tuple[str, ...], examples: int = 12, noise: float = 1.0
) -> np.ndarray:
    """Weights (task, in) of a linear regression on a few noisy examples of each task.

    Args:
        regularizer: the regularizer, or None.
        planted: (task, in), the true weights.
        tasks: names of the tasks.
        examples: number of examples of a task.
        noise: standard deviation of the labels around their mean.
    """
    rng = np.random.default_rng(0)
    planted = np.asarray(planted, np.float32)
    x = rng.normal(size=(len(planted), examples, planted.shape[1])).astype(np.float32)
    y = np.einsum("tnd,td->tn", x, planted) + noise * rng.normal(size=(len(planted), examples)).astype(np.float32)

    @tf.function
    def step(weights: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(weights)
            loss = 0.5 * tf.reduce_sum((tf.einsum("tnd,tdo->tn", x, weights) - y) ** 2) / examples
            proximal = isinstance(regularizer, ProximalTaskRegularizer)
            if regularizer is not None and not proximal:
                loss += regularizer.call([weights], tasks)
        moved = weights - 0.05 * tape.gradient(loss, weights)
        return regularizer.proximal(moved, 0.05) if proximal else moved

    weights = tf.zeros((*planted.shape, 1))
    for _ in range(300):
        weights = step(weights)
    return weights.numpy()[..., 0]


def error(weights: np.ndarray, planted: Any) -> float:
    """Root mean squared error of the weights."""
    return float(np.sqrt(np.mean((weights - np.asarray(planted)) ** 2)))
