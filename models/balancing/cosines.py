"""Lengths and cosines of task gradients: their inner products without their scales."""

from __future__ import annotations

from typing import Any, NamedTuple

from keras import ops

RIDGE = 1e-5
"""Cosines of different gradients are multiplied by 1 - RIDGE, so that their matrix can be inverted."""


class Cosines(NamedTuple):
    """Task gradients without their directions in the space of the parameters.

    Attributes:
        lengths: (task,) |g_i|; 1 for a gradient of 0.
        present: (task,) 1 for a gradient other than 0, else 0.
        matrix: (task, task) cosines, those of different gradients times 1 - ridge. A gradient of 0 has the row and the
            column of the identity.
    """

    lengths: Any
    present: Any
    matrix: Any


def cosines(products: Any, ridge: float = RIDGE) -> Cosines:
    """The lengths and cosines of gradients with the inner products (task, task)."""
    tasks = int(products.shape[0])
    squares = ops.diagonal(products)
    is_present = squares > 0
    lengths = ops.sqrt(ops.where(is_present, squares, 1.0))
    off_diagonal = (1.0 - ridge) * products / ops.expand_dims(lengths, 0) / ops.expand_dims(lengths, 1)
    identity = ops.eye(tasks, dtype="float32")
    matrix = ops.where(identity > 0, 1.0, off_diagonal)
    return Cosines(lengths, ops.cast(is_present, "float32"), matrix)
