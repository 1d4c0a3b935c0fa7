"""The features of vectors inside the graph.

Numbers are computed in float64 and rounded once to float32, as in `models.features.number_inputs`.
"""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from models.features.layout import Analysed, missing_name, numeric_inputs
from models.features.raw_columns import Column
from models.recipe.features import Feature, column_of
from models.recipe.vector import Vector


def vectors_of(
    features: Mapping[str, Feature], analysed: Analysed, columns: Mapping[str, Column], batch: tf.Tensor
) -> dict[str, tf.Tensor]:
    """The features of vectors: (batch, dim) float32 `<feature>` and (batch,) float32 `<feature>_missing`.

    A row with another number of values than `dim`, or with one that is not finite, has no vector: zeros, and 1 in
    `<feature>_missing`.

    Args:
        features: {name: feature}; others are left out.
        analysed: statistics of the train split.
        columns: raw columns by name.
        batch: () int64: number of rows.
    """
    outputs: dict[str, tf.Tensor] = {}
    for name, feature in features.items():
        if isinstance(feature, Vector):
            given, there = _whole(columns[column_of(name, feature)], feature.dim, batch)
            values = tf.cast(_normalised(name, feature, analysed, tf.cast(given, tf.float64)), tf.float32)
            outputs[name] = tf.where(tf.expand_dims(there, 1), values, tf.constant(0, tf.float32))
            outputs[missing_name(name)] = tf.cast(~there, tf.float32)
    return outputs


def _whole(column: Column, dim: int, batch: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """(batch, dim) float32: the vectors, 0 where there is none; (batch,) bool: whether there is one."""
    values = tf.cast(column.values, tf.float32)
    ones = tf.ones_like(column.rows)
    finite = tf.where(tf.math.is_finite(values), ones, 0)
    counts = tf.math.unsorted_segment_sum(tf.stack([ones, finite], axis=1), column.rows, batch)
    there = tf.reduce_all(tf.equal(counts, dim), axis=1)
    kept = tf.reshape(tf.boolean_mask(values, tf.gather(there, column.rows)), (-1, dim))
    # One extra row of zeros for the rows without a vector.
    vectors = tf.concat([kept, tf.zeros((1, dim), tf.float32)], axis=0)
    places = tf.where(there, tf.cumsum(tf.cast(there, tf.int64), exclusive=True), tf.shape(kept, tf.int64)[0])
    return tf.gather(vectors, places), there


def _normalised(name: str, feature: Vector, analysed: Analysed, values: tf.Tensor) -> tf.Tensor:
    """(batch, dim) float64."""
    if feature.normalise == "l2":
        return tf.math.divide_no_nan(values, tf.norm(values, axis=1, keepdims=True))
    if feature.normalise == "standard":
        shifts, scales = zip(*(analysed.scaling[one] for one in numeric_inputs(name, feature, analysed)), strict=True)
        return (values - tf.constant(shifts, tf.float64)) / tf.constant(scales, tf.float64)
    return values
