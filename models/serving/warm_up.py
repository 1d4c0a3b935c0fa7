"""Warm-up requests, which TensorFlow Serving sends to a new version before real ones, because the first answer is slow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from models.recipe.argument_names import argument_names
from models.serving.inputs import serialize_examples
from models.serving.named_rows import named_columns, page_of, rank_columns

MOST = 1000
"""Maximum number of warm-up requests. TensorFlow Serving refuses to load a version with more."""


def requests(
    rows: Sequence[Mapping[str, Any]], inputs: Mapping[str, Mapping[str, Any]], weights: Mapping[str, float]
) -> list[Any]:
    """PredictRequests of every client signature: with one row, and with all rows.

    Args:
        rows: {column: value or list of values}, one or more, preferably real. In ranking requests, the first row is the
            user, and all rows are candidates.
        inputs: {column: {"type", "multivalued", "side", ...}}.
        weights: tunable weights and their values.
    """
    found = []
    for some in (rows[:1], rows):
        found.append(request("serving_default", {"examples": np.array(serialize_examples(some, inputs), object)}))
        found.append(request("raw", _named(named_columns(some, inputs, inputs, "warm-up"), inputs)))
        columns = rank_columns(page_of(some[0], some, inputs), inputs, "warm-up")
        values = {name: np.float32(value) for name, value in weights.items()}
        found.append(request("rank", {**_named(columns, inputs), **values}))
    return found


def write(path: Path, found: Sequence[Any]) -> None:
    """Writes PredictRequests as the PredictionLogs that TensorFlow Serving replays."""
    from tensorflow_serving.apis import prediction_log_pb2

    with tf.io.TFRecordWriter(str(path)) as writer:
        for request in found[:MOST]:
            log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
            writer.write(log.SerializeToString(deterministic=True))


def _named(columns: Mapping[str, np.ndarray], inputs: Mapping[str, Mapping[str, Any]]) -> dict[str, np.ndarray]:
    names = argument_names(inputs)
    return {names[column]: values for column, values in columns.items()}


def request(signature: str, tensors: Mapping[str, Any]) -> Any:
    """A PredictRequest for a signature. `tensors` are the arrays by input name."""
    from tensorflow_serving.apis import predict_pb2

    request = predict_pb2.PredictRequest()
    request.model_spec.signature_name = signature
    for name, values in tensors.items():
        dtype = tf.string if np.asarray(values).dtype == object else None
        request.inputs[name].CopyFrom(tf.make_tensor_proto(values, dtype=dtype, shape=np.shape(values)))
    return request
