"""A small model with the signatures of an exported ranker, whose answers can be worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

INPUTS: dict[str, dict[str, Any]] = {
    "who": {"type": "bytes", "multivalued": False, "side": "user", "separator": None},
    "age": {"type": "float", "multivalued": False, "side": "user", "separator": None},
    "item": {"type": "int", "multivalued": False, "side": "item", "separator": None},
    "tags": {"type": "bytes", "multivalued": True, "side": "item", "separator": "|"},
}


def write_ranker(
    folder: Path, version: int, factor: float = 1.0, inputs: dict[str, dict[str, Any]] = INPUTS, **notes: Any
) -> Path:
    """Writes a version whose click is factor * (age or 1) + item / 8 + number of tags, and score is click * taste.

    Args:
        folder: of the versions.
        version: its number.
        factor: of the age.
        inputs: INPUTS and perhaps more: an item that is a text counts as the number in it, and a column `hour` is added to
            the click where a request has it.
        notes: beside it, instead of the usual ones.
    """
    import tensorflow as tf

    from models.recipe.argument_names import argument_names
    from models.serving import named_tensors

    module, none, taste = tf.Module(), -(2**63), tf.constant(2.0)

    def number(values: Any) -> Any:
        if values.dtype == tf.string:
            digits = tf.strings.regex_replace(values, "[^0-9]", "")
            return tf.strings.to_number(tf.where(digits == "", "0", digits))
        return tf.cast(tf.where(values == none, tf.zeros_like(values), values), tf.float32)

    def click(columns: dict[str, Any], count: Any) -> Any:
        age = tf.where(tf.math.is_finite(columns["age"]), columns["age"], 1.0)
        tags = tf.reduce_sum(tf.cast(columns["tags"] != "", tf.float32), axis=1)
        hour = number(columns["hour"]) if "hour" in columns else 0.0
        return tf.broadcast_to(factor * age + number(columns["item"]) / 8 + tags + hour, tf.stack([count]))

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

    specs, missing = named_tensors.specs(inputs), named_tensors.missing_columns(inputs)

    @tf.function(input_signature=[specs])
    def raw(columns: Any = missing) -> dict[str, Any]:
        return {"click": click(columns, named_tensors.rows(columns))}

    @tf.function(input_signature=[{**specs, "taste": tf.TensorSpec((), tf.float32, name="taste")}])
    def rank(columns: Any = {**missing, "taste": taste}) -> dict[str, Any]:  # noqa: B006
        tf.debugging.assert_equal(tf.shape(columns["age"])[0], 1, "rank: expected one row of age")
        each = [name for name, about in inputs.items() if about["side"] != "user"]
        value = click(columns, named_tensors.rows({name: columns[name] for name in each}))
        score = value * columns["taste"]
        return {"click": value, "score": score, "ranking": tf.argsort(score, direction="DESCENDING", stable=True)}

    target = folder / f".{version}.tmp"
    tf.saved_model.save(module, str(target), signatures={"serving_default": serve, "raw": raw, "rank": rank})
    (target / "assets.extra").mkdir()
    usual = {
        "inputs": inputs,
        "arguments": argument_names(inputs),
        "tasks": {"click": "regression"},
        "weights": {"taste": 2.0},
    }
    (target / "assets.extra" / "inputs.json").write_text(json.dumps({**usual, **notes}))
    return target.rename(folder / str(version))
