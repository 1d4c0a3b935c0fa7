"""Pooling of a list of rows to one row."""

from __future__ import annotations

from typing import Any

from keras import ops


def pooled(rows: Any, present: Any, how: str) -> Any:
    """Pools the rows of each list.

    Args:
        rows: (batch, length, dim).
        present: (batch, length) bool mask of values. Other positions are padding and contribute nothing.
        how: a key of POOLINGS.

    Returns:
        (batch, dim); zeros for an empty list.
    """
    present = ops.expand_dims(present, -1)  # (batch, length, 1)
    count = ops.sum(ops.cast(present, rows.dtype), axis=1)  # (batch, 1)
    return POOLINGS[how](rows, present, count)


def _sum(rows: Any, present: Any, count: Any) -> Any:
    return ops.sum(ops.where(present, rows, 0), axis=1)


def _mean(rows: Any, present: Any, count: Any) -> Any:
    return _sum(rows, present, count) / ops.maximum(count, 1)


def _sqrtn(rows: Any, present: Any, count: Any) -> Any:
    return _sum(rows, present, count) / ops.sqrt(ops.maximum(count, 1))


def _max(rows: Any, present: Any, count: Any) -> Any:
    lowest = ops.where(present, rows, -float("inf"))
    return ops.where(count > 0, ops.max(lowest, axis=1), 0)


POOLINGS = {"mean": _mean, "sum": _sum, "max": _max, "sqrtn": _sqrtn}
"""sqrtn is sum / sqrt(length)."""
