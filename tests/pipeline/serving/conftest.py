"""A small model with the signatures of an exported one, whose answers can be worked out by hand, and a server of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

INPUTS: dict[str, dict[str, Any]] = {
    "who": {"type": "bytes", "multivalued": False, "side": "user", "separator": None},
    "age": {"type": "float", "multivalued": False, "side": "user", "separator": None},
    "item": {"type": "int", "multivalued": False, "side": "item", "separator": None},
    "tags": {"type": "bytes", "multivalued": True, "side": "item", "separator": "|"},
}


@pytest.fixture(scope="session")
def push() -> Callable[..., Path]:
    """push(folder, version, factor): a version whose click is factor * (age or 1) + item / 8 + number of tags."""
    import tensorflow as tf

    from models import named_tensors
    from models.named_rows import argument_names

    def make(folder: Path, version: int, factor: float = 1.0) -> Path:
        module, none, taste = tf.Module(), -(2**63), tf.constant(2.0)

        def click(columns: dict[str, Any], count: Any) -> Any:
            age = tf.where(tf.math.is_finite(columns["age"]), columns["age"], 1.0)
            item = tf.cast(tf.where(columns["item"] == none, tf.constant(0, tf.int64), columns["item"]), tf.float32)
            tags = tf.reduce_sum(tf.cast(columns["tags"] != "", tf.float32), axis=1)
            return tf.broadcast_to(factor * age + item / 8 + tags, tf.stack([count]))

        spec = {
            "age": tf.io.FixedLenFeature((), tf.float32, float("nan")),
            "item": tf.io.FixedLenFeature((), tf.int64, none),
            "tags": tf.io.RaggedFeature(tf.string),
        }

        @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, name="examples")])
        def serve(examples: Any) -> dict[str, Any]:
            columns = tf.io.parse_example(examples, spec)
            columns["tags"] = columns["tags"].to_tensor("")
            return {"click": click(columns, tf.size(examples))}

        specs, missing = named_tensors.specs(INPUTS), named_tensors.missing_columns(INPUTS)

        @tf.function(input_signature=[specs])
        def raw(columns: Any = missing) -> dict[str, Any]:
            return {"click": click(columns, named_tensors.rows(columns))}

        @tf.function(input_signature=[{**specs, "taste": tf.TensorSpec((), tf.float32, name="taste")}])
        def rank(columns: Any = {**missing, "taste": taste}) -> dict[str, Any]:  # noqa: B006
            tf.debugging.assert_equal(tf.shape(columns["age"])[0], 1, "rank: expected one row of age")
            value = click(columns, named_tensors.rows({name: columns[name] for name in ("item", "tags")}))
            score = value * columns["taste"]
            return {"click": value, "score": score, "ranking": tf.argsort(score, direction="DESCENDING")}

        target = folder / f".{version}.tmp"
        tf.saved_model.save(module, str(target), signatures={"serving_default": serve, "raw": raw, "rank": rank})
        (target / "assets.extra").mkdir()
        notes = {
            "inputs": INPUTS,
            "arguments": argument_names(INPUTS),
            "tasks": {"click": "regression"},
            "weights": {"taste": 2.0},
        }
        (target / "assets.extra" / "inputs.json").write_text(json.dumps(notes))
        return target.rename(folder / str(version))

    return make


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, push: Callable[..., Path]) -> Path:
    folder = tmp_path_factory.mktemp("root")
    (folder / "serving" / "shop").mkdir(parents=True)
    push(folder / "serving" / "shop", 3)
    return folder


@pytest.fixture(scope="module")
def server(root: Path) -> Iterator[Any]:
    from pipeline.serving.server import Server

    running = Server(root, "127.0.0.1", 0, 0, poll_seconds=3600)
    yield running
    running.stop()


def clicks(ages: list[float], items: list[int], tags: list[int], factor: float = 1.0) -> np.ndarray:
    """The model's formula."""
    return factor * np.array(ages, "f4") + np.array(items, "f4") / 8 + np.array(tags, "f4")
