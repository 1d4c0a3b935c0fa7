"""Inputs of a served model: the notes in the exported folder, and rows as serialized tf.Examples."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from models.recipe.errors import InputError
from models.recipe.registry import known
from models.serving.named_rows import checked_values

INPUTS = "assets.extra/inputs.json"
"""{"inputs": {column: {"type", "multivalued", "side", "separator", "length"}}, "arguments": {column: name in `raw` and `rank`},
"tasks": {task: kind}, "weights": {tunable weight: value}, "score": formula, "score_weights": {weight: value},
"served": [columns whose values in a request are ignored], "exported_at": seconds since 1970}."""

EXPECTED = "assets.extra/expected.json"
"""{"example_ids": [...], "predictions": {task: [...]}}: predictions of the trainer for some validate examples."""


def read_inputs(directory: str | Path) -> dict[str, Any]:
    """Reads the notes in INPUTS of an exported model.

    Raises:
        InputError: `directory` is not a model exported by gatewise.
    """
    return _read(Path(directory), INPUTS)


def is_retrieval(notes: Mapping[str, Any]) -> bool:
    """Whether the notes of `read_inputs` belong to a retrieval model, not a ranker."""
    return notes.get("kind") == "retrieval"


def read_expected(directory: str | Path) -> dict[str, Any]:
    """Reads the predictions of the trainer in EXPECTED of an exported model.

    Raises:
        InputError: `directory` is not a model exported by gatewise.
    """
    return _read(Path(directory), EXPECTED)


def read_exported_at(directory: str | Path) -> int:
    """The export time of a model in seconds since 1970.

    Raises:
        InputError: `directory` is not a model exported by gatewise.
    """
    return int(read_inputs(directory)["exported_at"])


def _read(directory: Path, name: str) -> dict[str, Any]:
    try:
        return json.loads((directory / name).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"{directory}: expected a model exported by gatewise, found no {name} in it. Give the folder of one "
            "version, which contains saved_model.pb."
        ) from None


def serialize_examples(
    rows: Sequence[Mapping[str, Any]], inputs: Mapping[str, Mapping[str, Any]], names: Sequence[str] | None = None
) -> list[bytes]:
    """Converts the rows of a JSON request to serialized tf.Examples.

    A column is missing if it is absent, None, an empty list or a number that is not finite. A text column also accepts
    whole numbers, as the text that they have in the logs. A text with the separator of its multi-valued column is split,
    as in the logs.

    Args:
        rows: {column: value or list of values} for each example.
        inputs: {column: {"type": "bytes" | "int" | "float", "multivalued": bool, "separator": str | None, ...}}, from `read_inputs`.
        names: name of each row in messages. Default: "Request 0" and so on.

    Raises:
        InputError: an unknown column, a value of another type, or several values for a column that takes one.
    """
    names = [f"Request {number}" for number in range(len(rows))] if names is None else names
    return [_example(row, inputs, name) for name, row in zip(names, rows, strict=True)]


def _example(row: Mapping[str, Any], inputs: Mapping[str, Mapping[str, Any]], where: str) -> bytes:
    if not isinstance(row, Mapping):
        raise InputError(f"{where}: expected an object of columns and values, received {row!r}.")
    features = {}
    for column, value in row.items():
        if column not in inputs:
            raise InputError(f"{where}: unknown column {column!r}; {known(column, inputs)}")
        values = checked_values(value, inputs[column], f"{where}, column {column!r}")
        features[column] = _ENCODERS[inputs[column]["type"]](values)
    message = tf.train.Example(features=tf.train.Features(feature=features))
    return message.SerializeToString(deterministic=True)


_ENCODERS = {
    "bytes": lambda values: tf.train.Feature(bytes_list=tf.train.BytesList(value=values)),
    "int": lambda values: tf.train.Feature(int64_list=tf.train.Int64List(value=values)),
    "float": lambda values: tf.train.Feature(float_list=tf.train.FloatList(value=values)),
}


def typical_row(inputs: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A row with a value in every column, for the warm-up of a server."""
    values = {"bytes": "", "int": 0, "float": 0.0}
    return {
        column: [values[about["type"]]] * about["length"] if about.get("length") else values[about["type"]]
        for column, about in inputs.items()
    }
