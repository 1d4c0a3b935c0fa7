"""The features as one TensorFlow graph, which transforms the training data and is the start of the served model.

    {column: SparseTensor (batch, values)} -> {feature: ids or numbers} -> pack -> {"categorical", "numeric", ...}

Lookups, comparisons and hashes give the same ids for any batch size. Numbers are computed in float64 and rounded once to
float32, because the last bit of a logarithm depends on the batch size (vectorized or not).
"""

from __future__ import annotations

import functools
import itertools
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from models.features.crosses import crosses_of
from models.features.layout import Analysed, FeatureLayout, is_quotient_remainder
from models.features.number_inputs import numbers_of
from models.features.raw_columns import Column, first_values, lists, with_one_text
from models.features.value_ids import Table, codes_of, load_vocabulary, pairs_of, vocabulary_file
from models.features.vectors import vectors_of
from models.layers.input_names import input_of
from models.recipe.features import Categorical, Feature, MultiValued, column_of, column_types, feature_columns

_DTYPES = {"bytes": tf.string, "int": tf.int64, "float": tf.float32}


def raw_feature_spec(features: Mapping[str, Feature]) -> dict[str, tf.io.VarLenFeature]:
    """Specs of the raw columns for `tf.io.parse_example`. A missing value is an empty list."""
    return {column: tf.io.VarLenFeature(_DTYPES[kind]) for column, kind in column_types(features).items()}


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
        packed["numeric"] = _numeric(outputs, layout.numeric)
    for feature in layout.multivalued:
        packed[f"multivalued/{feature}"] = tf.cast(outputs[feature], tf.int32)
    return packed


def _numeric(outputs: Mapping[str, Any], names: Sequence[str]) -> tf.Tensor:
    """(batch, input) float32. A vector is one output of several inputs."""
    parts = []
    for whole, some in itertools.groupby(names, lambda name: "" if name in outputs else input_of(name)):
        parts.append(outputs[whole] if whole else tf.stack([outputs[name] for name in some], axis=1))
    return parts[0] if len(parts) == 1 else tf.concat(parts, axis=1)


def encode_columns(
    features: Mapping[str, Feature],
    analysed: Analysed,
    columns: Mapping[str, Column],
    batch: tf.Tensor,
    vocabulary: Table,
) -> dict[str, tf.Tensor]:
    """Computes the features from a batch of raw columns, for training and serving.

    Outputs: categorical, bucketised and cross: (batch,) int64 ids. multivalued: (batch, max_length) int64 ids, padded with
    -1. numeric: (batch,) float32 `<feature>` and `<feature>_missing`; piecewise linear and periodic: (batch,) float32
    `<feature>/<component>` for each component, and `<feature>_missing`; vector: (batch, dim) float32 `<feature>`, and
    `<feature>_missing`.
    Ids: 0 is missing; then the `oov_buckets` ids of out-of-vocabulary values; then the vocabulary.
    Without a vocabulary: 0 is missing; then the `hash_buckets` ids. quotient_remainder: (batch, 2) or (batch, 2 max_length)
    int64: for each value 1 + hash mod hash_buckets, and an id of the second half of the rows, by the hash's quotient;
    missing is 0 and -1.
    Cross: 0 is missing; then the `hash_buckets` ids. Bucketised: 0 is missing; then the intervals. Numbers that are not finite are missing.
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
            codes = column.each(functools.partial(codes_of, name, feature, analysed, vocabulary))
            if isinstance(feature, MultiValued):
                outputs[name] = pairs_of(lists(column.rows, codes, feature.max_length, batch), feature, missing=-1)
            else:
                single[name] = column.rows, codes
    if single:
        rows, codes = zip(*single.values(), strict=True)
        firsts = first_values(rows, codes, -1, batch)
        for name, first in zip(single, tf.unstack(firsts, num=len(single)), strict=True):
            feature = features[name]
            pairs = is_quotient_remainder(feature)
            outputs[name] = pairs_of(tf.expand_dims(first, 1), feature, missing=0) if pairs else tf.maximum(first, 0)
    outputs |= crosses_of(features, columns, batch)
    return outputs | numbers_of(features, analysed, columns, batch) | vectors_of(features, analysed, columns, batch)


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
