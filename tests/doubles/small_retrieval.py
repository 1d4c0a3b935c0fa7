"""A small model with the signatures of an exported retrieval model, whose answers can be worked out by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

NOTHING: dict[str, Any] = {"int": -1, "bytes": b""}


def write_retrieval(
    folder: Path,
    version: int,
    items: Sequence[Mapping[str, Any]],
    vectors: Sequence[Sequence[float]],
    item_type: str = "int",
    answers: int = 6,
    prior: bool = False,
) -> Path:
    """Writes a version in which a user's vector is [age or 1, number of items in the history, 1 ...].

    Its item table has a row for each of `items`, {"item": id, "tags": [text, ...]}; a score is the product of the two
    vectors.

    Args:
        folder: of the versions.
        version: its number.
        items: of the table, in its order.
        vectors: of the items, of two places or more; with a prior the last place is that.
        item_type: "int" or "bytes".
        answers: places of an answer; 0 for a model without an index.
        prior: what the notes say.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq
    import tensorflow as tf

    from models.recipe.argument_names import argument_names
    from models.serving import named_tensors
    from models.serving.named_rows import MISSING

    texts, module, dim = item_type == "bytes", tf.Module(), len(vectors[0])
    ids = [row["item"] for row in items]
    list_of_ids = {"type": item_type, "multivalued": True, "side": "user", "separator": None}
    inputs = {
        "age": {"type": "float", "multivalued": False, "side": "user", "separator": None},
        "hour": {"type": "int", "multivalued": False, "side": "context", "separator": None},
        "history": list_of_ids,
        "exclude": list_of_ids,
    }
    dtype = tf.string if texts else tf.int64
    table, known_ids = tf.constant(vectors, tf.float32), tf.constant(ids, dtype)
    places, none = min(answers, len(items)), tf.constant(NOTHING[item_type], dtype)

    def user_vectors(age: Any, history: Any) -> Any:
        """Of (row,) and (row, longest)."""
        age = tf.where(tf.math.is_finite(age), age, 1.0)
        real = tf.reduce_sum(tf.cast(history != MISSING[item_type], tf.float32), axis=1)
        return tf.concat([tf.stack([age, real], axis=1), tf.ones((tf.size(age), dim - 2))], axis=1)

    specs, missing = named_tensors.specs(inputs), named_tensors.missing_columns(inputs)

    @tf.function(input_signature=[specs], autograph=False)
    def serve(columns: Any = missing) -> dict[str, Any]:
        count = named_tensors.rows(columns)
        whole = {name: named_tensors.repeated(values, count) for name, values in columns.items()}
        scores = tf.matmul(user_vectors(whole["age"], whole["history"]), table, transpose_b=True)
        out = tf.reduce_any(known_ids[None, :, None] == whole["exclude"][:, None, :], axis=2)
        scores = tf.where(out, -float("inf"), scores)
        order = tf.argsort(scores, direction="DESCENDING", stable=True)[:, :places]
        scores = tf.gather(scores, order, batch_dims=1)
        return {"item_ids": tf.where(tf.math.is_inf(scores), none, tf.gather(known_ids, order)), "scores": scores}

    of_query = {"age": tf.io.FixedLenFeature((), tf.float32, float("nan")), "history": tf.io.RaggedFeature(dtype)}

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, name="examples")], autograph=False)
    def query(examples: Any) -> dict[str, Any]:
        columns = tf.io.parse_example(examples, of_query)
        return {"vector": user_vectors(columns["age"], columns["history"].to_tensor(MISSING[item_type]))}

    target = folder / f".{version}.tmp"
    tf.saved_model.save(
        module, str(target), signatures={"query": query, **({"serving_default": serve} if answers else {})}
    )
    (target / "assets.extra").mkdir()
    notes = {
        "kind": "retrieval",
        "inputs": inputs,
        "arguments": argument_names(inputs),
        "user": {"column": "user_id", "type": "bytes"},
        "item": {"column": "item", "type": item_type},
        "item_inputs": {
            "item": {**list_of_ids, "multivalued": False, "side": "item"},
            "tags": {"type": "bytes", "multivalued": True, "side": "item", "separator": "|"},
        },
        "dim": dim,
        "prior": prior,
        "items": len(items),
        "answers": places,
        "exported_at": version,
    }
    (target / "assets.extra" / "inputs.json").write_text(json.dumps(notes))
    columns = {
        "item": pa.array(ids, pa.binary() if texts else pa.int64()),
        "tags": pa.array([row.get("tags", []) for row in items], pa.list_(pa.binary())),
        "gatewise/last_seen": pa.array([0] * len(items), pa.int64()),
        "gatewise/vector": pa.array(vectors, pa.list_(pa.float32(), dim)),
    }
    pq.write_table(pa.table(columns), target / "assets.extra" / "items.parquet")
    return target.rename(folder / str(version))
