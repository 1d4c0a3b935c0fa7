"""Predicts the requests of a JSON lines file with an exported model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.files.version_folders import version_folders
from models.recipe.errors import InputError
from models.serving.inference import load_server
from models.serving.inputs import is_retrieval, read_inputs, serialize_examples
from pipeline.json_values import json_object


def answer(model: Path, requests: Path) -> list[dict[str, float]]:
    """One {task: prediction} per request, in order.

    Args:
        model: folder of a version, or folder of versions (the newest is used).
        requests: file with one JSON object per line, column -> value.

    Raises:
        InputError: the folder has no model, or a line does not fit the model.
    """
    version = newest_version(model)
    rows, served = read_requests(requests), read_inputs(version)
    if is_retrieval(served):
        raise InputError(
            f"{version}: expected a ranker, found a retrieval model, which returns items and predicts no task. "
            "Use `gatewise recommend MODEL_ROOT --user JSON` with its ranker, or `gatewise request MODEL --input FILE.jsonl "
            "--signature serving_default` without it."
        )
    try:
        examples = serialized(rows, served["inputs"])
    except InputError as error:
        raise InputError(f"{requests}: {error}") from None
    if not rows:
        return []
    predictions = load_server(version)(examples)
    return [{task: float(predictions[task][index]) for task in served["tasks"]} for index in range(len(rows))]


def newest_version(folder: Path) -> Path:
    """The folder itself if it is a SavedModel, else its newest version.

    Raises:
        InputError: the folder has no SavedModel and no version.
    """
    if (folder / "saved_model.pb").is_file():
        return folder
    versions = version_folders(folder)
    if not versions:
        raise InputError(
            f"{folder}: no exported model here; expected saved_model.pb, or version folders that contain one. "
            "A run pushes to ROOT/serving/MODEL_NAME."
        )
    return versions[max(versions)]


def read_requests(requests: Path) -> dict[int, dict[str, Any]]:
    """{line number: JSON object} of a file, without blank lines.

    Raises:
        InputError: the file cannot be read, or a line is not a JSON object.
    """
    try:
        # Not `splitlines`: JSON may contain unescaped U+2028 and similar separators.
        lines = requests.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{requests}: cannot be read as UTF-8: {error}") from None
    return {
        number: json_object(line, f"{requests}:{number}") for number, line in enumerate(lines, start=1) if line.strip()
    }


def serialized(rows: Mapping[int, Mapping[str, Any]], inputs: Mapping[str, Mapping[str, Any]]) -> list[bytes]:
    """The lines of `read_requests` as serialized tf.Examples.

    Raises:
        InputError: a line does not fit the inputs; the message begins with its number.
    """
    return serialize_examples(list(rows.values()), inputs, [f"line {number}" for number in rows])
