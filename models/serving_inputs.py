"""What a served model wants to be asked: the notes beside the exported model, and rows as serialized tf.Examples."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from models.errors import InputError
from models.registry import known

INPUTS = "assets.extra/inputs.json"
"""{"inputs": {column: {"type", "multivalued", "side"}}, "tasks": {task: kind}, "exported_at": seconds since 1970}."""

EXPECTED = "assets.extra/expected.json"
"""{"example_ids": [...], "predictions": {task: [...]}}: what the trainer itself predicted for some eval examples."""

_INT64 = range(-(2**63), 2**63)
_FLOAT32_MAX = 3.4028234663852886e38


def read_inputs(directory: str | Path) -> dict[str, Any]:
    """The notes in INPUTS of an exported model.

    Raises:
        InputError: `directory` is no model that gatewise exported.
    """
    return _read(Path(directory), INPUTS)


def read_expected(directory: str | Path) -> dict[str, Any]:
    """The trainer's own predictions, in EXPECTED of an exported model.

    Raises:
        InputError: `directory` is no model that gatewise exported.
    """
    return _read(Path(directory), EXPECTED)


def read_exported_at(directory: str | Path) -> int:
    """The second since 1970 at which a model was exported.

    Raises:
        InputError: `directory` is no model that gatewise exported.
    """
    return int(read_inputs(directory)["exported_at"])


def _read(directory: Path, name: str) -> dict[str, Any]:
    try:
        return json.loads((directory / name).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"{directory}: expected a model exported by gatewise, found no {name} in it. Give the folder of one "
            "version: the one that holds saved_model.pb."
        ) from None


def serialize_examples(rows: Sequence[Mapping[str, Any]], inputs: Mapping[str, Mapping[str, Any]]) -> list[bytes]:
    """Rows of a request, as JSON gives them, as serialized tf.Examples.

    A column that is left out, None or an empty list is missing, and so is a number that is not finite. A column of
    texts also takes whole numbers: they are written out, as they are in the logs. A text with the separator of its
    multi-valued column is split, as it is in the logs.

    Args:
        rows: {column: value or list of values} for each example.
        inputs: {column: {"type": "bytes" | "int" | "float", "multivalued": bool, "separator": str | None, ...}}, from `read_inputs`.

    Raises:
        InputError: an unknown column, a value of another type, or several values for a column that takes one.
    """
    return [_example(row, inputs, f"Request {number}") for number, row in enumerate(rows)]


def _example(row: Mapping[str, Any], inputs: Mapping[str, Mapping[str, Any]], where: str) -> bytes:
    if not isinstance(row, Mapping):
        raise InputError(f"{where}: expected an object of columns and values, received {row!r}.")
    features = {}
    for column, value in row.items():
        if column not in inputs:
            raise InputError(f"{where}: unknown column {column!r}; {known(column, inputs)}")
        separator = inputs[column].get("separator")
        if separator and isinstance(value, str) and inputs[column]["type"] == "bytes":
            value = value.split(separator)
        values = [] if value is None else list(value) if isinstance(value, list | tuple) else [value]
        if len(values) > 1 and not inputs[column]["multivalued"]:
            raise InputError(f"{where}, column {column!r}: expected one value, received {len(values)}: {value!r}.")
        features[column] = _ENCODERS[inputs[column]["type"]](values, f"{where}, column {column!r}")
    message = tf.train.Example(features=tf.train.Features(feature=features))
    return message.SerializeToString(deterministic=True)


def _bytes(values: list[Any], where: str) -> tf.train.Feature:
    encoded = []
    for value in values:
        if isinstance(value, bool) or not isinstance(value, str | bytes | int):
            raise InputError(f"{where}: expected a text, received {value!r}.")
        try:
            encoded.append(value if isinstance(value, bytes) else str(value).encode("utf-8"))
        except UnicodeEncodeError:  # half a surrogate pair, which JSON can write
            raise InputError(f"{where}: expected a text of Unicode characters, received {value!r}.") from None
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=encoded))


def _ints(values: list[Any], where: str) -> tf.train.Feature:
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int) or value not in _INT64:
            raise InputError(f"{where}: expected a whole number of 64 bits, received {value!r}.")
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))


def _floats(values: list[Any], where: str) -> tf.train.Feature:
    for value in values:
        # NaN and infinity pass: the transform graph takes them for missing, as it does in the training data.
        if isinstance(value, bool) or not isinstance(value, int | float) or _FLOAT32_MAX < abs(value) < float("inf"):
            raise InputError(f"{where}: expected a number of 32 bits, received {value!r}.")
    return tf.train.Feature(float_list=tf.train.FloatList(value=values))


_ENCODERS = {"bytes": _bytes, "int": _ints, "float": _floats}


def typical_row(inputs: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A row with a value in every column, to warm a server up with."""
    values = {"bytes": "", "int": 0, "float": 0.0}
    return {column: values[about["type"]] for column, about in inputs.items()}
