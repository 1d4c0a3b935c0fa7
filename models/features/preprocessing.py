"""The features as one TensorFlow graph, which transforms the training data and is the start of the served model.

    {column: SparseTensor (batch, values)} -> {feature: ids or numbers} -> pack -> {"categorical", "numeric", ...}

Lookups, comparisons and hashes give the same ids for any batch size. Numbers are computed in float64 and rounded once to
float32, because the last bit of a logarithm depends on the batch size (vectorized or not).
"""

from __future__ import annotations

import functools
import json
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from models.features.layout import (
    Analysed,
    FeatureLayout,
    first_vocabulary_id,
    is_quotient_remainder,
    missing_name,
    table_of,
)
from models.features.raw_columns import Column, first_values, lists, with_one_text
from models.recipe.features import (
    Bucketised,
    Categorical,
    Feature,
    MultiValued,
    Numeric,
    column_of,
    feature_columns,
    raw_type,
)

_DTYPES = {"bytes": tf.string, "int": tf.int64, "float": tf.float32}


def raw_feature_spec(features: Mapping[str, Feature]) -> dict[str, tf.io.VarLenFeature]:
    """Specs of the raw columns for `tf.io.parse_example`. A missing value is an empty list."""
    return {
        column: tf.io.VarLenFeature(_DTYPES[raw_type(feature)]) for column, feature in feature_columns(features).items()
    }


def pack(outputs: Mapping[str, Any], layout: FeatureLayout) -> dict[str, tf.Tensor]:
    """Packs the outputs of the graph into the inputs of the model, without empty ones.

    Args:
        outputs: {feature: (batch,) or (batch, width)}.
        layout: layout of the same features.

    Returns:
        "categorical": (batch, C) int32; "numeric": (batch, N) float32; "multivalued/<feature>": (batch, L) int32.
    """
    packed = {}
    if layout.categorical:
        ids = tf.stack([outputs[feature] for feature, _ in layout.categorical], axis=1)
        packed["categorical"] = tf.cast(ids, tf.int32)
    if layout.numeric:
        packed["numeric"] = tf.stack([outputs[name] for name in layout.numeric], axis=1)
    for feature in layout.multivalued:
        packed[f"multivalued/{feature}"] = tf.cast(outputs[feature], tf.int32)
    return packed


Table = Callable[[str, tf.DType], tf.lookup.StaticHashTable]
"""(table, type of its values) -> its vocabulary as value -> rank, -1 for others; one and the same for each table."""


def encode_columns(
    features: Mapping[str, Feature],
    analysed: Analysed,
    columns: Mapping[str, Column],
    batch: tf.Tensor,
    vocabulary: Table,
) -> dict[str, tf.Tensor]:
    """Computes the features from a batch of raw columns, for training and serving.

    Outputs: categorical and bucketised: (batch,) int64 ids. multivalued: (batch, max_length) int64 ids, padded with
    -1. numeric: (batch,) float32 `<feature>` and `<feature>_missing`.
    Ids: 0 is missing; then the `oov_buckets` ids of out-of-vocabulary values; then the vocabulary.
    Without a vocabulary: 0 is missing; then the `hash_buckets` ids. quotient_remainder: (batch, 2) or (batch, 2 max_length)
    int64: for each value 1 + hash mod hash_buckets, and an id of the second half of the rows, by the hash's quotient;
    missing is 0 and -1.
    Bucketised: 0 is missing; then the intervals. Numbers that are not finite are missing.
    An empty text is also missing, as in the logs. A single-valued feature uses the first of several values.
    Texts are first normalized as in the logs: "7.0" as "7", "True" as "true" (`models.features.value_texts`).

    Args:
        features: {name: feature}, in the recipe's order.
        analysed: statistics of the train split.
        columns: raw columns by name.
        batch: () int64: number of rows.
        vocabulary: function that returns the lookup tables.
    """
    outputs: dict[str, tf.Tensor] = {}
    columns = with_one_text(columns)
    single: dict[str, tuple[tf.Tensor, tf.Tensor]] = {}
    for name, feature in features.items():
        if isinstance(feature, Categorical | MultiValued):
            column = columns[column_of(name, feature)]
            codes = column.each(functools.partial(_codes, name, feature, analysed, vocabulary))
            if isinstance(feature, MultiValued):
                outputs[name] = _pairs(lists(column.rows, codes, feature.max_length, batch), feature, missing=-1)
            else:
                single[name] = column.rows, codes
    if single:
        rows, codes = zip(*single.values(), strict=True)
        firsts = first_values(rows, codes, -1, batch)
        for name, first in zip(single, tf.unstack(firsts, num=len(single)), strict=True):
            feature = features[name]
            pairs = is_quotient_remainder(feature)
            outputs[name] = _pairs(tf.expand_dims(first, 1), feature, missing=0) if pairs else tf.maximum(first, 0)
    return outputs | _numbers(features, analysed, columns, batch)


def preprocessing_fn(
    features: Mapping[str, Feature], analysed: Analysed, vocabularies: str | Path
) -> Callable[[Mapping[str, tf.SparseTensor]], dict[str, tf.Tensor]]:
    """`encode_columns` as a `preprocessing_fn` of TensorFlow Transform without analysers.

    Args:
        features: {name: feature}, in the recipe's order.
        analysed: statistics of the train split.
        vocabularies: folder with `<table>.txt`, one value per line, for each table with a non-empty vocabulary.
    """
    # Imported here, because serving needs only `pack`.
    import tensorflow_transform as tft

    def table(name: str, dtype: tf.DType) -> tf.lookup.StaticHashTable:
        # Tracked object instead of `tft.apply_vocabulary`, which would keep the path after the folder moves.
        make = functools.partial(load_vocabulary, vocabularies, name, dtype)
        return tft.make_and_track_object(make, name=f"vocabulary_{name}")

    def function(inputs: Mapping[str, tf.SparseTensor]) -> dict[str, tf.Tensor]:
        columns = {name: Column.of(inputs[name]) for name in feature_columns(features)}
        batch = inputs[next(iter(columns))].dense_shape[0]
        return encode_columns(features, analysed, columns, batch, table)

    return function


def load_vocabulary(folder: str | Path, table: str, dtype: tf.DType) -> tf.lookup.StaticHashTable:
    """Loads the vocabulary in `<table>.txt`, one value per line, as a table value -> rank, with -1 for other values."""
    index = tf.lookup.TextFileIndex
    path = os.path.join(os.fspath(folder), vocabulary_file(table))
    lines = tf.lookup.TextFileInitializer(path, dtype, index.WHOLE_LINE, tf.int64, index.LINE_NUMBER)
    return tf.lookup.StaticHashTable(lines, default_value=-1)


def write_transform_graph(
    features: Mapping[str, Feature], analysed: Analysed, vocabularies: str | Path, folder: str | Path
) -> None:
    """Writes the features as a TransformGraph for TFTransformOutput. It contains its vocabularies and can be moved.

    Args:
        features, analysed, vocabularies: as for `preprocessing_fn`.
        folder: folder of the TransformGraph.
    """
    # Imported here, because serving needs only `pack`.
    import tensorflow_transform as tft
    from tensorflow_transform import impl_helper
    from tensorflow_transform.tf_metadata import metadata_io

    spec = raw_feature_spec(features)
    types = {column: tf.SparseTensorSpec((None, None), about.dtype) for column, about in spec.items()}
    function = preprocessing_fn(features, analysed, vocabularies)
    impl_helper.analyze_in_place(function, False, spec, types, os.fspath(folder))
    metadata_io.write_metadata(
        tft.DatasetMetadata.from_feature_spec(spec),
        os.path.join(os.fspath(folder), tft.TFTransformOutput.RAW_METADATA_DIR),
    )
    # For `TFTransformOutput.vocabulary_by_name`; otherwise only an analysis by TensorFlow Transform writes it.
    known = {table: vocabulary_file(table) for table, size in analysed.vocabulary_sizes.items() if size}
    metadata = os.path.join(os.fspath(folder), tft.TFTransformOutput.TRANSFORMED_METADATA_DIR)
    with tf.io.gfile.GFile(os.path.join(metadata, tft.TFTransformOutput.ASSET_MAP), "w") as file:
        file.write(json.dumps(known))


def vocabulary_file(table: str) -> str:
    """The name of a table's vocabulary file."""
    return f"{table}.txt"


def _codes(
    name: str, feature: Categorical | MultiValued, analysed: Analysed, vocabulary: Table, values: tf.Tensor
) -> tf.Tensor:
    """(value,) int64: id of each value, or its hash for a quotient-remainder feature; -1 for an empty text."""
    if feature.hash_buckets is None:
        codes = _known_ids(name, feature, analysed, vocabulary, values)
    elif feature.quotient_remainder:
        # Remainder and quotient of one hash are as good as two independent hashes.
        codes = _bucket(values, feature.hash_buckets**2)
    else:
        codes = 1 + _bucket(values, feature.hash_buckets)
    return tf.where(tf.equal(values, ""), tf.constant(-1, tf.int64), codes) if values.dtype == tf.string else codes


def _pairs(codes: tf.Tensor, feature: Feature, missing: int) -> tf.Tensor:
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


def _numbers(
    features: Mapping[str, Feature], analysed: Analysed, columns: Mapping[str, Column], batch: tf.Tensor
) -> dict[str, tf.Tensor]:
    """The numeric and the bucketised features."""
    numbers = {name: feature for name, feature in features.items() if isinstance(feature, Numeric | Bucketised)}
    if not numbers:
        return {}
    used = list(feature_columns(numbers))
    rows, values = zip(*((columns[name].rows, columns[name].values) for name in used), strict=True)
    firsts = first_values(rows, values, math.nan, batch)
    finite = tf.math.is_finite(firsts)
    place = {name: used.index(column_of(name, feature)) for name, feature in numbers.items()}
    outputs: dict[str, tf.Tensor] = {}

    bucketised = [name for name, feature in numbers.items() if isinstance(feature, Bucketised)]
    if bucketised:
        each = tf.unstack(firsts, num=len(used))
        buckets = [
            tf.raw_ops.Bucketize(input=each[place[name]], boundaries=list(analysed.boundaries[name]))
            for name in bucketised
        ]
        there = tf.gather(finite, [place[name] for name in bucketised])
        ids = tf.where(there, tf.cast(tf.stack(buckets), tf.int64) + 1, tf.constant(0, tf.int64))
        outputs |= dict(zip(bucketised, tf.unstack(ids, num=len(bucketised)), strict=True))

    for transform, function in _TRANSFORMS.items():
        names = [name for name, one in numbers.items() if isinstance(one, Numeric) and one.transform == transform]
        if names:
            places = [place[name] for name in names]
            shifts, scales = (
                tf.constant([[analysed.scaling[name][part]] for name in names], tf.float64) for part in (0, 1)
            )
            wide = function(tf.cast(tf.gather(firsts, places), tf.float64))
            there = tf.gather(finite, places)
            scaled = tf.where(there, tf.cast((wide - shifts) / scales, tf.float32), tf.constant(0, tf.float32))
            outputs |= dict(zip(names, tf.unstack(scaled, num=len(names)), strict=True))
            missing = tf.unstack(tf.cast(~there, tf.float32), num=len(names))
            outputs |= {missing_name(name): one for name, one in zip(names, missing, strict=True)}
    return outputs


def _log1p(values: tf.Tensor) -> tf.Tensor:
    # In float32, as the moments were computed.
    return tf.cast(tf.cast(tf.sign(values) * tf.math.log1p(tf.abs(values)), tf.float32), tf.float64)


_TRANSFORMS: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {"none": lambda values: values, "log1p": _log1p}


def _known_ids(
    name: str, feature: Categorical | MultiValued, analysed: Analysed, vocabulary: Table, values: tf.Tensor
) -> tf.Tensor:
    """(value,) int64: id of each value of a feature with a vocabulary."""
    table = table_of(name, feature)
    # TensorFlow refuses an empty vocabulary file.
    if not analysed.vocabulary_sizes[table]:
        return 1 + _bucket(values, feature.oov_buckets)
    ids = vocabulary(table, values.dtype).lookup(values) + first_vocabulary_id(feature)
    # Values outside the table have rank -1, which with one bucket is already the right offset.
    if feature.oov_buckets == 1:
        return ids
    return tf.where(ids < first_vocabulary_id(feature), 1 + _bucket(values, feature.oov_buckets), ids)


def _bucket(values: tf.Tensor, buckets: int) -> tf.Tensor:
    """(value,) int64 in [0, buckets): the same on every machine. Texts by FarmHash, whole numbers by SplitMix64."""
    if buckets == 1:
        return tf.zeros_like(values, dtype=tf.int64)
    if values.dtype == tf.string:
        return tf.strings.to_hash_bucket_fast(values, buckets)
    mixed = tf.bitcast(values, tf.uint64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = tf.bitwise.bitwise_xor(mixed, _shifted(mixed, shift)) * tf.constant(factor, tf.uint64)
    mixed = tf.bitwise.bitwise_xor(mixed, _shifted(mixed, 31))
    return tf.bitcast(_shifted(mixed, 1), tf.int64) % buckets


def _shifted(values: tf.Tensor, bits: int) -> tf.Tensor:
    return tf.bitwise.right_shift(values, tf.constant(bits, tf.uint64))
