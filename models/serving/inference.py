"""Calls an exported model: each signature as a function of arrays. Imports TensorFlow, but not Keras or TFX."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from models.recipe.errors import InputError
from models.serving import named_tensors
from models.serving.inputs import read_inputs
from models.serving.loading import load_saved_model

SERVER = "serving_default"
RAW = "raw"
RANK = "rank"
PREDICTOR = "transformed"
LOGGED = "logged"
"""Signature of a model with `served_as` features: `serving_default` with the values of the request, for the evaluation."""

ALIGNED = 64
"""Batches are padded to a multiple of this number of rows. Otherwise the last rows of a batch would take other vector
instructions and differ in the last bit between batch sizes."""


def argument(column: str) -> str:
    """Name of a packed column in the signature, which does not allow `/`."""
    return column.replace("/", "_")


def load_server(directory: str | Path, logged: bool = False) -> Callable[[list[bytes]], dict[str, np.ndarray]]:
    """The exported model as a function of serialized tf.Examples -> {task: (example,)}.

    Args:
        directory: folder of the exported model.
        logged: whether to predict from the logged values of features with `served_as`.

    Raises:
        InputError: `directory` has no such model.
    """
    model = _load(directory)
    call = _signature(model, LOGGED if logged and LOGGED in model[1].signatures else SERVER)
    return lambda examples: _arrays(call(examples=tf.constant(examples, dtype=tf.string, shape=(len(examples),))))


def load_named(directory: str | Path, *signatures: str) -> list[Callable[[Mapping[str, Any]], dict[str, np.ndarray]]]:
    """The exported model as functions of named columns, {column or weight: array or tensor} -> {output: array}.

    Args:
        directory: folder of the exported model.
        signatures: RAW or RANK. An absent column is missing; an absent weight has the value of the recipe.

    Raises:
        InputError: `directory` has no such model.
    """
    notes, loaded = read_inputs(directory), _load(directory)
    return [_named(notes, _signature(loaded, name), name) for name in signatures]


def _named(
    notes: Mapping[str, Any], call: Callable[..., dict[str, Any]], signature: str
) -> Callable[[Mapping[str, Any]], dict[str, np.ndarray]]:
    absent = {
        notes["arguments"][column]: tensor for column, tensor in named_tensors.missing_columns(notes["inputs"]).items()
    }
    if signature == RANK:
        absent |= {name: tf.constant(value, tf.float32) for name, value in notes["weights"].items()}

    def ask(columns: Mapping[str, Any]) -> dict[str, np.ndarray]:
        given = {notes["arguments"].get(name, name): values for name, values in columns.items()}
        return _arrays(
            call(**{name: _tensor(given[name], one) if name in given else one for name, one in absent.items()})
        )

    return ask


def _tensor(values: Any, like: tf.Tensor) -> tf.Tensor:
    if isinstance(values, tf.Tensor):
        return values
    return tf.constant(values, like.dtype, shape=np.shape(values))


def load_predictor(
    directory: str | Path, batch_size: int = 16_384
) -> Callable[[Mapping[str, np.ndarray]], dict[str, np.ndarray]]:
    """The exported model as a function of packed columns {name: (example, ...)} -> {task: (example,)}.

    Args:
        directory: folder of the exported model.
        batch_size: examples per call, to limit memory. Predictions do not depend on it.

    Raises:
        InputError: `directory` has no such model.
    """
    call = _signature(_load(directory), PREDICTOR)

    def predict(columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        rows = len(next(iter(columns.values())))
        arrays = {argument(name): array for name, array in columns.items()}
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
    """Pads the rows with zeros to a multiple of ALIGNED."""
    return tf.constant(np.pad(array, [(0, -len(array) % ALIGNED), *[(0, 0)] * (array.ndim - 1)]))


def _first(answers: Mapping[str, np.ndarray], rows: int) -> dict[str, np.ndarray]:
    return {task: values[:rows] for task, values in answers.items()}


def _load(directory: str | Path) -> tuple[str, Any]:
    if not (Path(directory) / "saved_model.pb").is_file():
        raise InputError(f"{directory}: expected an exported model, found no saved_model.pb in it.")
    return str(directory), load_saved_model(str(directory))


def _signature(model: tuple[str, Any], name: str) -> Callable[..., dict[str, Any]]:
    directory, loaded = model
    if name not in loaded.signatures:
        raise InputError(
            f"{directory}: expected a model exported by gatewise with a signature {name!r}, found "
            f"{sorted(loaded.signatures)}."
        )
    # Refers to `loaded`, because the signature alone does not keep the variables alive.
    return lambda **tensors: loaded.signatures[name](**tensors)


def _arrays(outputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
    return {task: values.numpy() for task, values in outputs.items()}
