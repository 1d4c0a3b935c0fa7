"""A model small enough to see through, exported with the notes that the probe reads, and its raw examples."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

TASKS = {"click": "binary", "value": "regression"}
AGES = [0.0, 1.0, None, -2.0, 0.5]


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    """Folder of the raw examples: ids 0, 10, ... in two files of the validate split."""
    rows = [{"gatewise/example_id": [10 * i], "age": [] if age is None else [age]} for i, age in enumerate(AGES)]
    schema = pa.schema({"gatewise/example_id": pa.large_list(pa.int64()), "age": pa.large_list(pa.float32())})
    folder = tmp_path / "examples"
    (folder / "Split-validate").mkdir(parents=True)
    for part in range(2):
        pq.write_table(pa.Table.from_pylist(rows[part::2], schema), folder / "Split-validate" / f"part-{part}.parquet")
    return folder


@pytest.fixture
def export(tmp_path: Path) -> Callable[..., Path]:
    """export(click=, value=, expected=): a model artifact's folder with click(age), value(age); age 7 where missing."""
    import tensorflow as tf

    def make(
        click: Callable[[Any], Any] = tf.sigmoid,
        value: Callable[[Any], Any] = lambda age: 100 * age,
        expected: dict[str, list[float]] | None = None,
        example_ids: list[int] | None = None,
        named: Callable[[Any], Any] = lambda age: age,
        score: Callable[[Any, Any], Any] = lambda click, value: click + 0.001 * value,
    ) -> Path:
        module = tf.Module()

        @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, name="examples")])
        def serve(texts: Any) -> dict[str, Any]:
            sparse = tf.io.parse_example(texts, {"age": tf.io.VarLenFeature(tf.float32)})["age"]
            shape = tf.stack([sparse.dense_shape[0], 1])
            age = tf.sparse.to_dense(tf.sparse.reset_shape(sparse, shape), default_value=7.0)[:, 0]
            return {"click": click(age), "value": value(age)}

        def known(age: Any) -> dict[str, Any]:
            age = named(tf.where(tf.math.is_nan(age), 7.0, age))
            return {"click": click(age), "value": value(age)}

        columns = [tf.TensorSpec((None,), tf.float32, name="age"), tf.TensorSpec((None,), tf.string, name="who")]

        @tf.function(input_signature=columns)
        def raw(age: Any, who: Any) -> dict[str, Any]:
            return known(age)

        @tf.function(input_signature=columns)
        def rank(age: Any, who: Any) -> dict[str, Any]:
            answers = known(age)
            blend = score(answers["click"], answers["value"])
            return {**answers, "score": blend, "ranking": tf.argsort(blend, direction="DESCENDING")}

        folder = tmp_path / "model" / "3" / "Format-Serving"
        tf.saved_model.save(module, str(folder), signatures={"serving_default": serve, "raw": raw, "rank": rank})
        ages = np.array([7.0 if age is None else age for age in AGES])
        right = {"click": (1 / (1 + np.exp(-ages))).tolist(), "value": (100 * ages).tolist()}
        notes = {
            "inputs": {
                "inputs": {
                    "age": {"type": "float", "multivalued": False, "side": "item"},
                    "who": {"type": "bytes", "multivalued": False, "side": "user"},
                },
                "arguments": {"age": "age", "who": "who"},
                "weights": {},
                "tasks": TASKS,
            },
            "expected": {
                "example_ids": example_ids or [0, 10, 20, 30, 40],
                "predictions": {**right, **(expected or {})},
            },
        }
        (folder / "assets.extra").mkdir()
        for name, content in notes.items():
            (folder / "assets.extra" / f"{name}.json").write_text(json.dumps(content))
        return folder.parent

    return make
