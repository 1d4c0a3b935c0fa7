"""Outputs of a trained model for later stages: its predictions for a split, and those that the probe expects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.features import input_pipeline
from models.training.multi_task_model import MultiTaskModel

PREDICT_ROWS = 16_384


def in_batches(
    ask: Callable[[dict[str, tf.Tensor]], Mapping[str, Any]], columns: input_pipeline.Columns, batch_size: int
) -> dict[str, np.ndarray]:
    """The outputs of a compiled function for all examples of a split, in the order of their ids: task -> (example, ...).

    Args:
        ask: packed columns of a batch -> {task: (batch, ...)}.
        columns: the split.
        batch_size: examples per step.
    """
    compiled = tf.function(ask, autograph=False, reduce_retracing=True)
    parts: dict[str, list[np.ndarray]] = {}
    for start in range(0, len(columns.labels), batch_size):
        batch = {name: tf.constant(array[start : start + batch_size]) for name, array in columns.arrays.items()}
        for task, values in compiled(batch).items():
            parts.setdefault(task, []).append(keras.ops.convert_to_numpy(values))
    return {task: np.concatenate(values) for task, values in parts.items()}


def predictions_of(model: MultiTaskModel, columns: input_pipeline.Columns) -> dict[str, NDArray[np.float32]]:
    """Predictions of a model for all examples of a split: served task -> (example,)."""
    found = in_batches(model.predictions, columns, PREDICT_ROWS)
    return {task: values.reshape(-1).astype(np.float32) for task, values in found.items()}


def expected_predictions(
    model: MultiTaskModel,
    columns: input_pipeline.Columns,
    count: int,
    as_served: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]] = dict,
) -> dict[str, Any]:
    """Predictions of the model for the first examples: {"example_ids": [...], "predictions": {task: [...]}}.

    Runs on the CPU, as the probe does: a GPU rounds matrix products more coarsely. `as_served` replaces the values that the
    served model does not take from a request.
    """
    arrays = as_served({name: array[:count] for name, array in columns.arrays.items()})
    with tf.device("/CPU:0"):
        predictions = model.predictions({name: tf.constant(array) for name, array in arrays.items()})
    return {
        "example_ids": [int(value) for value in columns.example_id[:count]],
        "predictions": {
            task: [float(value) for value in keras.ops.convert_to_numpy(values).reshape(-1)]
            for task, values in predictions.items()
        },
    }
