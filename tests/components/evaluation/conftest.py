"""A small eval split on disk, in both forms, and hand-made models in the exporter's layout."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tfx.types import standard_artifacts


@dataclasses.dataclass
class Split:
    """The eval split: arrays as the files hold them, and the two artifacts."""

    arrays: dict[str, Any]
    examples: Any
    transformed: Any

    @property
    def raw_files(self) -> list[str]:
        return _files(self.examples)

    @property
    def transformed_files(self) -> list[str]:
        return _files(self.transformed)


def _files(artifact) -> list[str]:
    folder = os.path.join(artifact.uri, "Split-eval")
    return sorted(os.path.join(folder, name) for name in os.listdir(folder))


def _lists(values, value_type):
    return pa.array([None if value is None else [value] for value in values], pa.large_list(value_type))


def _fixed(matrix):
    flat = pa.array(np.ascontiguousarray(matrix).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, matrix.shape[1])


def _artifact(artifact_type, uri):
    artifact = artifact_type()
    artifact.uri = str(uri)
    if hasattr(artifact, "split_names"):
        artifact.split_names = '["train", "eval"]'
    return artifact


def make_arrays(rows: int) -> dict[str, Any]:
    generator = np.random.default_rng(4)
    x = generator.normal(size=rows).astype(np.float32)
    truth = 1.0 / (1.0 + np.exp(-x.astype(np.float64)))
    click = (generator.random(rows) < truth).astype(np.float32)
    return {
        "device": [None if at < 0.1 else b"phone" if at < 0.6 else b"tablet" for at in generator.random(rows)],
        "user": [None if user == 0 else int(user) for user in generator.integers(0, 30, rows)],
        "x": x,
        "truth": truth,
        "labels": np.stack([click, (10.0 * x * click).astype(np.float32)], 1),
        "weights": np.stack([np.ones(rows, np.float32), click], 1),
        "example_id": np.arange(rows) * 7,
        "event_id": [f"e{row}".encode() for row in range(rows)],
    }


@pytest.fixture
def make_split(tmp_path):
    """Writes an eval split of tasks click (binary) and value (regression, observed where clicked), in two files."""

    def make(rows: int = 400, name: str = "split") -> Split:
        arrays = make_arrays(rows)
        examples = _artifact(standard_artifacts.Examples, tmp_path / name / "raw")
        transformed = _artifact(standard_artifacts.Examples, tmp_path / name / "transformed")
        for artifact in (examples, transformed):
            os.makedirs(os.path.join(artifact.uri, "Split-eval"))
        raw = pa.table(
            {
                "device": _lists(arrays["device"], pa.large_binary()),
                "user": _lists(arrays["user"], pa.int64()),
                "x": _lists(arrays["x"], pa.float32()),
                "label/click": _lists(arrays["labels"][:, 0], pa.float32()),
                "gatewise/example_id": _lists(arrays["example_id"], pa.int64()),
                "gatewise/event_id": _lists(arrays["event_id"], pa.large_binary()),
            }
        )
        packed = pa.table(
            {
                "numeric": _fixed(arrays["x"][:, None]),
                "labels": _fixed(arrays["labels"]),
                "weights": _fixed(arrays["weights"]),
                "example_id": pa.array(arrays["example_id"]),
            }
        ).replace_schema_metadata({b"tasks": json.dumps(["click", "value"]).encode()})
        cut = rows // 3
        for index, start, length in ((0, 0, cut), (1, cut, rows - cut)):
            path = os.path.join(examples.uri, "Split-eval", f"examples-{index:05d}-of-00002.parquet")
            pq.write_table(raw.slice(start, length), path, row_group_size=100)
            path = os.path.join(transformed.uri, "Split-eval", f"examples-{index:05d}-of-00002.arrow")
            part = packed.slice(start, length)
            with pa.OSFile(path, "wb") as file, pa.ipc.new_file(file, part.schema) as writer:
                writer.write_table(part, max_chunksize=150)
        # The train split has the same rows: only their mean label is asked for.
        shutil.copytree(os.path.join(transformed.uri, "Split-eval"), os.path.join(transformed.uri, "Split-train"))
        return Split(arrays, examples, transformed)

    return make


@pytest.fixture
def make_model(tmp_path):
    """Exports click = sigmoid(slope * x + bias) and value = slope * x; the answers of `serving_default` come from raw x.

    With `served`, `serving_default` takes this number as x, and `logged` takes the raw x.
    """
    import tensorflow as tf

    def make(
        name: str,
        artifact_id: int,
        slope: float = 1.0,
        bias: float = 0.0,
        tasks=("click", "value"),
        inputs=None,
        served: float | None = None,
    ):
        artifact = _artifact(standard_artifacts.Model, tmp_path / name)
        artifact.id = artifact_id
        directory = os.path.join(artifact.uri, "Format-Serving")

        def answers(x):
            found = {"click": tf.sigmoid(slope * x + bias), "value": slope * x}
            return {task: found[task] for task in tasks}

        module = tf.Module()

        @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, name="examples")])
        def logged(examples):
            spec = {"x": tf.io.FixedLenFeature((), tf.float32, default_value=0.0)}
            return answers(tf.io.parse_example(examples, spec)["x"])

        @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, name="examples")])
        def constant(examples):
            return answers(tf.fill(tf.shape(examples), served))

        @tf.function(input_signature=[tf.TensorSpec((None, 1), tf.float32, name="numeric")])
        def transformed(numeric):
            return answers(numeric[:, 0])

        signatures = {"serving_default": logged, "transformed": transformed}
        if served is not None:
            signatures |= {"serving_default": constant, "logged": logged}
        tf.saved_model.save(module, directory, signatures=signatures)
        os.makedirs(os.path.join(directory, "assets.extra"))
        notes = {"inputs": inputs or {"x": {"type": "float", "multivalued": False}}, "tasks": {}, "exported_at": 1}
        with open(os.path.join(directory, "assets.extra", "inputs.json"), "w") as file:
            json.dump(notes, file)
        return artifact

    return make
