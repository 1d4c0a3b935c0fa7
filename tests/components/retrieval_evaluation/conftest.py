"""A small problem as the stage Interactions writes it, and hand-made models in the exporter's layout.

Users have a number x, items a number y, and the score is slope * x * y plus the item's prior.
"""

from __future__ import annotations

import json
import os
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tfx.types import standard_artifacts

IDS = [b"a", b"b", b"c", b"d", b"e", b"f"]
Y = [0.5, -1.0, 2.0, 1.0, None, 3.0]
PRIORS = [0.0, 0.25, -0.5, 1.0, 0.125, -4.0]
POSITIVES = [3, 2, 2, 1, 0, 1]
IMPRESSIONS = [10, 8, 4, 2, 0, 1]
USERS = [b"u1", b"u2", b"u3"]
X = [1.0, -1.0, None]
HISTORY: list[list[bytes]] = [[b"b", b"a", b"gone"], [b"a"], []]
SEEN: list[list[bytes]] = [[b"a", b"b", b"gone"], [b"a"], []]
RELEVANT = [[b"c"], [b"b", b"e"], [b"d"]]
# (user, row of the item or -1, hour)
TRAIN = [
    (0, 0, 0),
    (0, -1, 1),
    (0, 1, 2),
    (1, 0, 3),
    (2, 0, 4),
    (2, 2, 5),
    (3, 1, 40),
    (3, 2, 41),
    (4, 3, 42),
    (4, 5, 43),
]
EVAL_ROWS = [2, 1, 4, 3, -1]


def lists(values: list[Any], kind: pa.DataType) -> pa.Array:
    return pa.array([None if value is None else [value] for value in values], pa.large_list(kind))


def items_table(**changed: Any) -> pa.Table:
    columns = {
        "item": pa.array(IDS, pa.binary()),
        "y": lists(Y, pa.float32()),
        "gatewise/last_seen": pa.array([0] * 6, pa.int64()),
        "gatewise/impressions": pa.array(IMPRESSIONS, pa.int64()),
        "gatewise/positives": pa.array(POSITIVES, pa.int64()),
        "gatewise/prior": pa.array(PRIORS, pa.float32()),
    }
    return pa.table(columns | changed)


def eval_queries_table() -> pa.Table:
    ids = pa.list_(pa.binary())
    return pa.table(
        {
            "user": pa.array(USERS, pa.large_binary()),
            "x": lists(X, pa.float32()),
            "history": pa.array(HISTORY, ids),
            "seen": pa.array(SEEN, pa.large_list(pa.large_binary())),
            "relevant": pa.array(RELEVANT, ids),
        }
    )


def _arrow(path: str, table: pa.Table) -> None:
    with pa.OSFile(path, "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=3)


@pytest.fixture
def interactions(tmp_path):
    """The artifact, and the paths of its files."""
    artifact = standard_artifacts.Examples()
    artifact.uri = str(tmp_path / "interactions")
    artifact.split_names = '["train", "eval", "items", "eval_items", "eval_queries"]'
    for split in ("train", "eval", "eval_items", "eval_queries"):
        os.makedirs(os.path.join(artifact.uri, f"Split-{split}"))
    paths = SimpleNamespace(
        eval_queries=os.path.join(artifact.uri, "Split-eval_queries", "eval_queries.parquet"),
        items=os.path.join(artifact.uri, "Split-eval_items", "items.parquet"),
        train=os.path.join(artifact.uri, "Split-train", "interactions.arrow"),
        evaluated=os.path.join(artifact.uri, "Split-eval", "interactions.arrow"),
    )
    pq.write_table(eval_queries_table(), paths.eval_queries)
    pq.write_table(items_table(), paths.items)
    hour = 3_600_000_000
    columns = {
        "user": pa.array([one[0] for one in TRAIN], pa.int32()),
        "item_row": pa.array([one[1] for one in TRAIN], pa.int32()),
        "time": pa.array([one[2] * hour for one in TRAIN], pa.int64()),
    }
    _arrow(paths.train, pa.table({"weight": pa.array([1.0] * len(TRAIN), pa.float32()), **columns}))
    _arrow(paths.evaluated, pa.table({"item_row": pa.array(EVAL_ROWS, pa.int32())}))
    return SimpleNamespace(artifact=artifact, **vars(paths))


NOTES: dict[str, Any] = {
    "kind": "retrieval",
    "inputs": {
        "x": {"type": "float", "multivalued": False, "side": "user"},
        "history": {"type": "bytes", "multivalued": True, "side": "user"},
        "exclude": {"type": "bytes", "multivalued": True, "side": "user"},
    },
    "arguments": {"x": "x", "history": "history", "exclude": "exclude"},
    "user": {"column": "user", "type": "bytes"},
    "item": {"column": "item", "type": "bytes"},
    "item_inputs": {"y": {"type": "float", "multivalued": False, "side": "item"}},
    "dim": 2,
    "prior": True,
    "items": 6,
    "answers": 4,
    "exported_at": 1,
}


@pytest.fixture
def make_model(tmp_path):
    """Exports a model; `served_slope` is that of its `serving_default` alone."""
    import tensorflow as tf

    def make(name: str, artifact_id: int, slope: float = 1.0, served_slope: float | None = None, **notes: Any):
        artifact = standard_artifacts.Model()
        artifact.uri, artifact.id = str(tmp_path / name), artifact_id
        directory = os.path.join(artifact.uri, "Format-Serving")
        number = tf.io.FixedLenFeature((), tf.float32, default_value=0.0)
        own = np.stack([[y or 0.0 for y in Y], PRIORS], axis=1).astype(np.float32)
        module = tf.Module()

        def vector(values, last):
            return {"vector": tf.stack([values, tf.fill(tf.shape(values), last)], axis=1)}

        @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, name="examples")])
        def query(examples):
            columns = tf.io.parse_example(examples, {"x": number, "history": tf.io.VarLenFeature(tf.string)})
            return vector(slope * columns["x"], 1.0)

        @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, name="examples")])
        def item(examples):
            return vector(tf.io.parse_example(examples, {"y": number})["y"], 0.0)

        @tf.function(
            input_signature=[
                tf.TensorSpec((None,), tf.float32, name="x"),
                tf.TensorSpec((None, None), tf.string, name="history"),
                tf.TensorSpec((None, None), tf.string, name="exclude"),
            ]
        )
        def serve(x, history, exclude):
            x = tf.where(tf.math.is_nan(x), 0.0, x) * (slope if served_slope is None else served_slope)
            scores = tf.matmul(vector(x, 1.0)["vector"], own, transpose_b=True)
            out = tf.reduce_any(tf.constant(IDS)[None, :, None] == exclude[:, None, :], axis=2)
            scores, rows = tf.math.top_k(tf.where(out, -float("inf"), scores), k=4)
            return {"item_ids": tf.where(tf.math.is_inf(scores), b"", tf.gather(IDS, rows)), "scores": scores}

        module.query, module.item, module.serve = query, item, serve
        signatures = {"query": query, "item": item, "serving_default": serve}
        tf.saved_model.save(module, directory, signatures=signatures)
        os.makedirs(os.path.join(directory, "assets.extra"))
        with open(os.path.join(directory, "assets.extra", "inputs.json"), "w") as file:
            json.dump(NOTES | notes, file)
        vectors = pa.FixedSizeListArray.from_arrays(pa.array(own.reshape(-1)), 2)
        table = items_table().append_column("gatewise/vector", vectors)
        pq.write_table(table, os.path.join(directory, "assets.extra", "items.parquet"))
        return artifact

    return make
