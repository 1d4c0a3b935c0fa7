"""The ids of values inside the graph: by vocabulary, with out-of-vocabulary buckets, or by hash."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from models.features.layout import Analysed, first_vocabulary_id, table_of
from models.recipe.features import Categorical, Feature, MultiValued

Table = Callable[[str, tf.DType], tf.lookup.StaticHashTable]
"""(table, type of its values) -> its vocabulary as value -> rank, -1 for others; one and the same for each table."""


def vocabulary_file(table: str) -> str:
    """The name of a table's vocabulary file."""
    return f"{table}.txt"


def load_vocabulary(folder: str | Path, table: str, dtype: tf.DType) -> tf.lookup.StaticHashTable:
    """Loads the vocabulary in `<table>.txt`, one value per line, as a table value -> rank, with -1 for other values.

    A line of a float32 vocabulary is `value TAB key`, and the table maps the keys (`float_keys`).
    """
    index = tf.lookup.TextFileIndex
    path = os.path.join(os.fspath(folder), vocabulary_file(table))
    dtype, column = (tf.int64, 1) if dtype == tf.float32 else (dtype, index.WHOLE_LINE)
    lines = tf.lookup.TextFileInitializer(path, dtype, column, tf.int64, index.LINE_NUMBER)
    return tf.lookup.StaticHashTable(lines, default_value=-1)


def float_keys(values: tf.Tensor) -> tf.Tensor:
    """(value,) int64: the bits of (value,) float32 as a signed number, 0 for both zeros. Equal numbers have equal keys."""
    bits = tf.bitcast(values, tf.int32)
    return tf.cast(tf.where(tf.equal(bits, tf.int32.min), 0, bits), tf.int64)


def codes_of(
    name: str, feature: Categorical | MultiValued, analysed: Analysed, vocabulary: Table, values: tf.Tensor
) -> tf.Tensor:
    """(value,) int64: id of each value, or its hash for a quotient-remainder feature; -1 for an empty text and, if the
    feature's type is `number`, for a number that is not finite.
    """
    if feature.type == "number":
        values = tf.cast(values, tf.float32)
    if feature.hash_buckets is None:
        codes = _known_ids(name, feature, analysed, vocabulary, values)
    elif feature.quotient_remainder:
        # Remainder and quotient of one hash are as good as two independent hashes.
        codes = _bucket(values, feature.hash_buckets**2)
    else:
        codes = 1 + _bucket(values, feature.hash_buckets)
    if values.dtype.is_integer:
        return codes
    there = tf.not_equal(values, "") if values.dtype == tf.string else tf.math.is_finite(values)
    return tf.where(there, codes, tf.constant(-1, tf.int64))


def pairs_of(codes: tf.Tensor, feature: Feature, missing: int) -> tf.Tensor:
    """(batch, 2 length) int64: two ids for each of (batch, length) hashes of a quotient-remainder feature, or `missing` and -1
    for a missing value. For other features, the codes themselves.
    """
    if (
        not isinstance(feature, Categorical | MultiValued)
        or not feature.quotient_remainder
        or feature.hash_buckets is None
    ):
        return codes
    there, size = codes >= 0, feature.hash_buckets
    remainders = tf.where(there, 1 + codes % size, tf.constant(missing, tf.int64))
    quotients = tf.where(there, 1 + size + codes // size, tf.constant(-1, tf.int64))
    return tf.reshape(tf.stack([remainders, quotients], axis=2), (-1, 2 * codes.shape[1]))


def _known_ids(
    name: str, feature: Categorical | MultiValued, analysed: Analysed, vocabulary: Table, values: tf.Tensor
) -> tf.Tensor:
    """(value,) int64: id of each value of a feature with a vocabulary."""
    table = table_of(name, feature)
    # TensorFlow refuses an empty vocabulary file.
    if not analysed.vocabulary_sizes[table]:
        return 1 + _bucket(values, feature.oov_buckets)
    keys = float_keys(values) if values.dtype.is_floating else values
    ids = vocabulary(table, values.dtype).lookup(keys) + first_vocabulary_id(feature)
    # Values outside the table have rank -1, which with one bucket is already the right offset.
    if feature.oov_buckets == 1:
        return ids
    return tf.where(ids < first_vocabulary_id(feature), 1 + _bucket(values, feature.oov_buckets), ids)


def out_of_vocabulary_ids(lines: Sequence[bytes], feature: Categorical | MultiValued) -> np.ndarray:
    """(value,) int64: the id, from 1 to `oov_buckets`, that each value has while it is outside the vocabulary.

    Args:
        lines: the values as in `ids.parquet`: texts, or numbers as text.
        feature: a feature of the table.
    """
    values = tf.constant(np.asarray(lines, object), tf.string, (len(lines),))
    if feature.type != "string":
        values = tf.strings.to_number(values, tf.int64 if feature.type == "integer" else tf.float32)
    ids: np.ndarray = (1 + _bucket(values, feature.oov_buckets)).numpy()
    return ids


def _bucket(values: tf.Tensor, buckets: int) -> tf.Tensor:
    """(value,) int64 in [0, buckets): the same on every machine. Texts by FarmHash, numbers by SplitMix64."""
    if buckets == 1:
        return tf.zeros_like(values, dtype=tf.int64)
    if values.dtype == tf.string:
        return tf.strings.to_hash_bucket_fast(values, buckets)
    mixed = finalised(tf.bitcast(float_keys(values) if values.dtype.is_floating else values, tf.uint64))
    return tf.bitcast(_shifted(mixed, 1), tf.int64) % buckets


def finalised(mixed: tf.Tensor) -> tf.Tensor:
    """(value,) uint64: the finaliser of SplitMix64, without the addition before it (`models.features.splitmix.mix`)."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = tf.bitwise.bitwise_xor(mixed, _shifted(mixed, shift)) * tf.constant(factor, tf.uint64)
    return tf.bitwise.bitwise_xor(mixed, _shifted(mixed, 31))


def _shifted(values: tf.Tensor, bits: int) -> tf.Tensor:
    return tf.bitwise.right_shift(values, tf.constant(bits, tf.uint64))
