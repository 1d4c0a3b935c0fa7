"""A preprocessing_fn for the stock Transform that means what our features stage does with the same recipe.

Vocabularies by frequency with out-of-vocabulary buckets, quantiles, moments, first values and padded lists: the numbers of
the ids differ from ours (TensorFlow Transform counts from 0 and puts its buckets last), what is computed does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft


def preprocessing_fn(inputs: Mapping[str, Any], custom_config: Mapping[str, Any]) -> dict[str, tf.Tensor]:
    """The features of `custom_config["features"]`, as a recipe has them, and the labels of `custom_config["kept"]`."""
    outputs: dict[str, tf.Tensor] = {}
    for name, feature in custom_config["features"].items():
        outputs |= _KINDS[feature["kind"]](name, inputs[feature.get("column") or name], feature)
    return outputs | {name: _first(inputs[name], 0.0) for name in custom_config["kept"]}


def _categorical(name: str, column: tf.SparseTensor, feature: Mapping[str, Any]) -> dict[str, tf.Tensor]:
    return {name: _first(_ids(name, column, feature), -1)}


def _multivalued(name: str, column: tf.SparseTensor, feature: Mapping[str, Any]) -> dict[str, tf.Tensor]:
    lists = tf.strings.split(_first(column, ""), feature["separator"]).to_sparse()
    dense = tf.sparse.to_dense(_ids(name, lists, feature), default_value=-1)[:, : feature["max_length"]]
    missing = tf.maximum(0, feature["max_length"] - tf.shape(dense)[1])
    padded = tf.pad(dense, [[0, 0], [0, missing]], constant_values=-1)
    return {name: tf.ensure_shape(padded, (None, feature["max_length"]))}


def _numeric(name: str, column: tf.SparseTensor, feature: Mapping[str, Any]) -> dict[str, tf.Tensor]:
    there = _first(column.with_values(tf.ones_like(column.values)), 0.0)
    values = tf.cast(column.values, tf.float32)
    if feature.get("transform") == "log1p":
        values = tf.sign(values) * tf.math.log1p(tf.abs(values))
    scale = tft.scale_to_0_1 if feature.get("scale") == "minmax" else tft.scale_to_z_score
    return {name: _first(scale(column.with_values(values)), 0.0), f"{name}_missing": 1.0 - there}


def _bucketised(name: str, column: tf.SparseTensor, feature: Mapping[str, Any]) -> dict[str, tf.Tensor]:
    if feature.get("boundaries"):
        found = tft.apply_buckets(column, tf.constant([feature["boundaries"]], tf.float32))
    else:
        found = tft.bucketize(column, feature["buckets"])
    return {name: _first(found, -1)}


def _ids(name: str, column: tf.SparseTensor, feature: Mapping[str, Any]) -> tf.SparseTensor:
    return tft.compute_and_apply_vocabulary(
        column,
        top_k=feature["vocabulary"],
        frequency_threshold=feature["min_count"] if feature.get("min_count", 1) > 1 else None,
        num_oov_buckets=feature.get("oov_buckets", 1),
        vocab_filename=name,
    )


def _first(column: tf.SparseTensor, missing: Any) -> tf.Tensor:
    """(batch,) each row's first value, or `missing`."""
    shape = tf.stack([column.dense_shape[0], tf.maximum(column.dense_shape[1], 1)])
    sparse = tf.SparseTensor(column.indices, column.values, shape)
    return tf.sparse.to_dense(sparse, default_value=tf.cast(missing, column.values.dtype))[:, 0]


_KINDS = {
    "categorical": _categorical,
    "multivalued": _multivalued,
    "numeric": _numeric,
    "bucketised": _bucketised,
}
