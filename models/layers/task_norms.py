"""Norms of how the weights of tasks differ. Each function takes the weights of one layer: (task, ...) -> a scalar."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

_RESOLUTION = 1e-6


def mean_squared_distance(stack: Any) -> Any:
    """Mean over pairs of tasks of |w_s - w_t|^2; 0 for one task.

    The sum over pairs is n * sum_t |w_t - mean|^2, and there are n (n - 1) / 2 pairs.
    """
    return 2.0 / max(stack.shape[0] - 1, 1) * squared_distance_to_mean(stack)


def squared_distance_to_mean(stack: Any) -> Any:
    """sum_t |w_t - mean|^2."""
    return ops.sum(ops.square(stack - ops.mean(stack, axis=0, keepdims=True)))


def mean_distance(stack: Any) -> Any:
    """Mean over pairs of tasks of |w_s - w_t|; 0 for one task. Two equal tasks have the gradient 0."""
    first, second = np.triu_indices(stack.shape[0], k=1)
    if not len(first):
        return ops.sum(0.0 * stack)
    weights = matrix(stack)
    squares = ops.sum(ops.square(ops.take(weights, first, axis=0) - ops.take(weights, second, axis=0)), axis=1)
    apart = squares > 0.0
    return ops.mean(ops.where(apart, ops.sqrt(ops.where(apart, squares, 1.0)), 0.0))


def trace_norm(stack: Any) -> Any:
    """Trace norm (sum of singular values) of the matrix (task, parameter), to within 0.1 % times the root of the tasks.

    It is the sum of the roots of the eigenvalues of the (task, task) matrix W W', each increased by a millionth of their
    mean, because the gradient W' (W W')^-1/2 is infinite at 0. The gradient holds the eigenvectors fixed, which is exact
    at the minimum over D of tr(D^-1 W W') / 2 + tr(D) / 2 (Argyriou et al., Convex multi-task feature learning, Machine
    Learning 73, 2008): a gradient through the eigenvectors would be infinite for equal eigenvalues.
    """
    weights = ops.cast(matrix(stack), "float32")
    products = ops.matmul(weights, ops.transpose(weights))
    values, vectors = map(ops.stop_gradient, ops.eigh(ops.stop_gradient(products)))
    values = ops.maximum(values, 0.0)
    more = _RESOLUTION * ops.mean(values) + 1e-12
    roots = ops.sqrt(values + more)
    along = ops.sum(vectors * ops.matmul(products, vectors), axis=0)  # the eigenvalues, with a gradient
    return 0.5 * ops.sum((along + more) / roots + roots)


def matrix(stack: Any) -> Any:
    """(task, ...) -> (task, parameter)."""
    return ops.reshape(stack, (stack.shape[0], -1))


TASK_NORMS = {"squared": mean_squared_distance, "distance": mean_distance, "trace": trace_norm}
