"""Products and linear systems of matrices with a row and a column per task."""

from __future__ import annotations

from typing import Any

from keras import ops


def times(matrix: Any, vector: Any) -> Any:
    """Product of a matrix (task, task) and vectors (..., task); unlike matmul, never in TensorFloat-32."""
    return ops.sum(matrix * ops.expand_dims(vector, -2), axis=-1)


def solved(matrix: Any, right: Any) -> Any:
    """x with matrix x = right: (..., task), for positive definite matrices (..., task, task)."""
    return ops.solve(matrix, ops.expand_dims(right, -1))[..., 0]
