"""Batches through a model, some at once, into one array per task: what is in memory is the predictions and these batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from components.columnar.ordered_map import ordered_map

Batch = TypeVar("Batch")


def predict_batches(
    predict: Callable[[Batch], Mapping[str, NDArray[Any]]], batches: Iterable[Batch], rows: int
) -> dict[str, NDArray[np.float32]]:
    """The predictions of all batches, in their order.

    Args:
        predict: a batch -> task -> (batch,) or (batch, 1).
        batches: are read as they are needed.
        rows: of all batches together.

    Returns:
        task -> (rows,).

    Raises:
        ValueError: the batches do not have so many rows.
    """
    found: dict[str, NDArray[np.float32]] = {}
    end = 0
    # Beside one another: TensorFlow leaves Python's lock while it computes, and its own threads idle between operations.
    for answers in ordered_map(predict, batches):
        start, end = end, end + len(next(iter(answers.values())))
        if end > rows:
            break
        for task, values in answers.items():
            if task not in found:
                found[task] = np.empty(rows, np.float32)
            found[task][start:end] = np.asarray(values).reshape(-1)
    if end != rows:
        raise ValueError(f"expected {rows} predictions; received {'more' if end > rows else end}")
    return found
