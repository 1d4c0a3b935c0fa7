"""The crosses of columns inside the graph.

    h_0 = 0,    h_k = mix(h_(k-1) xor c_k),    id = 1 + floor(h / 2) mod hash_buckets

c_k is FarmHash's 64-bit fingerprint of the k-th value's text, modulo 2^63 - 1; mix is SplitMix64 (`models.features.splitmix`).
The ids are the same on every machine and for any batch.
"""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from models.features.raw_columns import Column, first_values
from models.features.splitmix import GOLDEN
from models.features.value_ids import finalised
from models.recipe.cross import Cross
from models.recipe.features import Feature

_LARGEST = 2**63 - 1


def crosses_of(
    features: Mapping[str, Feature], columns: Mapping[str, Column], batch: tf.Tensor
) -> dict[str, tf.Tensor]:
    """The crosses: (batch,) int64 ids; 0 if any of the columns has no value, or an empty text.

    Args:
        features: {name: feature}; others are left out.
        columns: raw columns by name, with normalized texts.
        batch: () int64: number of rows.
    """
    crosses = {name: feature for name, feature in features.items() if isinstance(feature, Cross)}
    if not crosses:
        return {}
    # Each column once, however many crosses read it.
    read = list(dict.fromkeys(column for cross in crosses.values() for column in cross.columns))
    codes = [columns[name].each(_fingerprints) for name in read]
    firsts = first_values([columns[name].rows for name in read], codes, -1, batch)
    each = dict(zip(read, tf.unstack(firsts, num=len(read)), strict=True))
    return {name: _ids(cross, [each[column] for column in cross.columns]) for name, cross in crosses.items()}


def _fingerprints(values: tf.Tensor) -> tf.Tensor:
    """(value,) int64 in [0, 2^63 - 1); -1 for an empty text."""
    texts = values if values.dtype == tf.string else tf.strings.as_string(values)
    codes = tf.strings.to_hash_bucket_fast(texts, _LARGEST)
    return tf.where(tf.equal(texts, ""), tf.constant(-1, tf.int64), codes)


def _ids(cross: Cross, codes: list[tf.Tensor]) -> tf.Tensor:
    mixed = tf.zeros_like(codes[0], tf.uint64)
    for code in codes:
        mixed = finalised(tf.bitwise.bitwise_xor(mixed, tf.bitcast(code, tf.uint64)) + tf.constant(GOLDEN, tf.uint64))
    halves = tf.bitcast(tf.bitwise.right_shift(mixed, tf.constant(1, tf.uint64)), tf.int64)
    there = tf.reduce_all(tf.stack(codes) >= 0, axis=0)
    return tf.where(there, 1 + halves % cross.hash_buckets, tf.constant(0, tf.int64))
