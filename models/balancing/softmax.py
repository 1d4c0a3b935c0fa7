"""Softmax over the tasks that take part."""

from __future__ import annotations

from typing import Any

from keras import ops


def softmax(values: Any, takes_part: Any) -> Any:
    """exp(values) / sum(exp(values)) over the tasks that take part, 0 for the others. Keras' has no mask, and refuses one task.

    Args:
        values: (task,) finite where `takes_part`.
        takes_part: (task,) bool. If no task does, the result is 0.
    """
    largest = ops.max(ops.where(takes_part, values, -3e38))
    powers = ops.where(takes_part, ops.exp(ops.where(takes_part, values - largest, 0.0)), 0.0)
    return ops.divide_no_nan(powers, ops.sum(powers))
