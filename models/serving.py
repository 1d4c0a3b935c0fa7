"""The only exporter, and how an exported model is asked.

Asking needs TensorFlow only: Keras, TFX and TensorFlow Transform are imported where a model is exported.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from models.encoding import Encoding
from models.errors import InputError
from models.serving_inputs import EXPECTED, INPUTS, serialize_examples, typical_row

Predictions = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Packed columns -> {task: (batch,)}, in TensorFlow: `MultiTaskModel.predictions` of a trained model."""

SERVER = "serving_default"
PREDICTOR = "transformed"

ALIGNED = 64
"""Rows that are predicted together: the last of a batch, fewer than the processor takes at once, would go another way through
exponentials and products, and differ in the last bit from what they are in another batch."""


def export(
    predictions: Predictions,
    transform_graph: Path,
    encoding: Encoding,
    directory: Path,
    *,
    inputs: Mapping[str, Mapping[str, Any]],
    kinds: Mapping[str, str],
    expected: Mapping[str, Any],
) -> None:
    """Writes a SavedModel with two signatures, and the notes about it; the folder appears whole or not at all.

    `serving_default`: examples, (batch,) serialized tf.Examples with the raw columns -> {task: (batch,) float32}: a
    probability or a value. What an example leaves out is a missing value.
    `transformed`: the packed columns of the trainer's data -> the same.
    The first begins with the transform graph that the training data went through.

    Args:
        predictions: of the trained model.
        transform_graph: folder of the TransformGraph.
        encoding: of the same folder.
        directory: is made; what it held before is replaced.
        inputs: {raw column: {"type", "multivalued", "side"}}.
        kinds: {task: "binary" or "regression"}.
        expected: {"example_ids": [...], "predictions": {task: [...]}}, for the probe.
    """
    module = _module(predictions, transform_graph, encoding)
    unfinished = directory.with_name(f".{directory.name}.tmp")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    signatures = {SERVER: module.serve, PREDICTOR: module.transformed}
    tf.saved_model.save(module, str(unfinished), signatures=signatures)
    (unfinished / "assets.extra").mkdir()
    notes = {"inputs": inputs, "tasks": kinds, "exported_at": int(time.time())}
    (unfinished / INPUTS).write_text(json.dumps(notes, indent=2), encoding="utf-8")
    (unfinished / EXPECTED).write_text(json.dumps(expected, indent=2), encoding="utf-8")
    _write_warmup(unfinished, serialize_examples([{}, typical_row(inputs)], inputs))
    shutil.rmtree(directory, ignore_errors=True)
    os.rename(unfinished, directory)


def _module(predictions: Predictions, transform_graph: Path, encoding: Encoding) -> tf.Module:
    """The two signatures over one set of variables.

    The module owns the variables that the predictions read, not the Keras model: with the model Keras would trace
    signatures of its own and save the optimizer.
    """
    import tensorflow_transform as tft

    from models.preprocessing import pack

    module = tf.Module()
    module.transform = tf.saved_model.load(tft.TFTransformOutput(str(transform_graph)).transform_savedmodel_dir)
    spec = tft.TFTransformOutput(str(transform_graph)).raw_feature_spec()

    def predict(features: Mapping[str, Any]) -> dict[str, Any]:
        return {task: tf.reshape(values, (-1,)) for task, values in predictions(features).items()}

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, name="examples")])
    def serve(examples: Any) -> dict[str, Any]:
        return predict(pack(module.transform.transform_fn(tf.io.parse_example(examples, spec)), encoding))

    @tf.function(input_signature=[packed_spec(encoding)])
    def transformed(columns: Any) -> dict[str, Any]:
        return predict(columns)

    module.serve, module.transformed = serve, transformed
    module.model_variables = list(transformed.get_concrete_function().graph.variables)
    return module


def packed_spec(encoding: Encoding) -> dict[str, tf.TensorSpec]:
    """Shapes and types of the packed columns; what is empty is absent."""
    shapes = {
        "categorical": (len(encoding.categorical), tf.int32),
        "numeric": (len(encoding.numeric), tf.float32),
        **{f"multivalued/{name}": (length, tf.int32) for name, (_, _, length) in encoding.multivalued.items()},
    }
    return {
        name: tf.TensorSpec((None, width), dtype, name=_argument(name))
        for name, (width, dtype) in shapes.items()
        if width
    }


def _argument(column: str) -> str:
    """A packed column's name in the signature, where `/` is not allowed."""
    return column.replace("/", "_")


def _write_warmup(directory: Path, examples: list[bytes]) -> None:
    """Requests that TensorFlow Serving sends to a new version before it takes real ones: the first answer is slow."""
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    with tf.io.TFRecordWriter(str(directory / "assets.extra/tf_serving_warmup_requests")) as writer:
        for batch in ([examples[0]], [examples[1]], examples):
            request = predict_pb2.PredictRequest()
            request.model_spec.signature_name = SERVER
            request.inputs["examples"].CopyFrom(tf.make_tensor_proto(batch, dtype=tf.string))
            log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
            writer.write(log.SerializeToString())


def load_server(directory: str | Path) -> Callable[[list[bytes]], dict[str, np.ndarray]]:
    """The exported model as a function of serialized tf.Examples -> {task: (example,)}.

    Raises:
        InputError: `directory` holds no such model.
    """
    call = _signature(directory, SERVER)
    return lambda examples: _arrays(call(examples=tf.constant(examples, dtype=tf.string, shape=(len(examples),))))


def load_predictor(
    directory: str | Path, batch_size: int = 16_384
) -> Callable[[Mapping[str, np.ndarray]], dict[str, np.ndarray]]:
    """The exported model as a function of packed columns {name: (example, ...)} -> {task: (example,)}.

    Args:
        directory: of the exported model.
        batch_size: examples that are predicted at once, to bound the memory. A prediction is the same in every batch.

    Raises:
        InputError: `directory` holds no such model.
    """
    call = _signature(directory, PREDICTOR)

    def predict(columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        rows = len(next(iter(columns.values())))
        arrays = {_argument(name): array for name, array in columns.items()}
        parts = [
            _first(
                _arrays(call(**{name: _filled_up(array[at : at + batch_size]) for name, array in arrays.items()})),
                min(batch_size, rows - at),
            )
            for at in range(0, max(rows, 1), batch_size)
        ]
        return {task: np.concatenate([part[task] for part in parts]) for task in parts[0]}

    return predict


def _filled_up(array: np.ndarray) -> tf.Tensor:
    """The rows, and zeros up to a multiple of ALIGNED rows."""
    return tf.constant(np.pad(array, [(0, -len(array) % ALIGNED), *[(0, 0)] * (array.ndim - 1)]))


def _first(answers: Mapping[str, np.ndarray], rows: int) -> dict[str, np.ndarray]:
    return {task: values[:rows] for task, values in answers.items()}


def _signature(directory: str | Path, name: str) -> Callable[..., dict[str, Any]]:
    if not (Path(directory) / "saved_model.pb").is_file():
        raise InputError(f"{directory}: expected an exported model, found no saved_model.pb in it.")
    loaded = tf.saved_model.load(str(directory))
    if name not in loaded.signatures:
        raise InputError(
            f"{directory}: expected a model exported by gatewise with a signature {name!r}, found "
            f"{sorted(loaded.signatures)}."
        )
    # By way of `loaded`: the signature alone does not keep the variables alive.
    return lambda **tensors: loaded.signatures[name](**tensors)


def _arrays(outputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
    return {task: values.numpy() for task, values in outputs.items()}
