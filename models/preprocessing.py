"""The features as ONE TensorFlow graph: training data goes through it once, the served model begins with it.

    {column: SparseTensor (batch, values)} -> {feature: ids or numbers} -> pack -> {"categorical", "numeric", ...}

Lookups, comparisons and hashes give the same ids for any batch size. Numbers are computed in float64 and rounded once
to float32: a logarithm differs in its last bit between batch sizes (vectorised or not), after the rounding it does not.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from models.encoding import Analysed, Encoding, first_vocabulary_id, is_compositional, missing_name, table_of
from models.recipe import Bucketised, Categorical, Feature, MultiValued, Numeric, column_of, feature_columns, raw_type

_DTYPES = {"bytes": tf.string, "int": tf.int64, "float": tf.float32}


def raw_feature_spec(features: Mapping[str, Feature]) -> dict[str, tf.io.VarLenFeature]:
    """What `tf.io.parse_example` needs to read the raw columns; a missing value is no value."""
    return {
        column: tf.io.VarLenFeature(_DTYPES[raw_type(feature)]) for column, feature in feature_columns(features).items()
    }


def pack(outputs: Mapping[str, Any], encoding: Encoding) -> dict[str, tf.Tensor]:
    """The graph's outputs side by side, as the model takes them; what is empty is absent.

    Args:
        outputs: {feature: (batch,) or (batch, width)}.
        encoding: of the same features.

    Returns:
        "categorical": (batch, C) int32; "numeric": (batch, N) float32; "multivalued/<feature>": (batch, L) int32.
    """
    packed = {}
    if encoding.categorical:
        ids = [tf.cast(outputs[feature], tf.int32) for feature, _ in encoding.categorical]
        packed["categorical"] = tf.stack(ids, axis=1)
    if encoding.numeric:
        packed["numeric"] = tf.stack([outputs[name] for name in encoding.numeric], axis=1)
    for feature in encoding.multivalued:
        packed[f"multivalued/{feature}"] = tf.cast(outputs[feature], tf.int32)
    return packed


def preprocessing_fn(
    features: Mapping[str, Feature], analysed: Analysed, vocabularies: str | Path
) -> Callable[[Mapping[str, tf.SparseTensor]], dict[str, tf.Tensor]]:
    """The features as a `preprocessing_fn` of TensorFlow Transform without analysers.

    Outputs: categorical and bucketised: (batch,) int64 ids. multivalued: (batch, max_length) int64 ids, -1 where there
    is no more value. numeric: (batch,) float32 `<feature>` and `<feature>_missing`.
    Ids: 0 is missing; then the `oov_buckets` ids of values outside of the vocabulary; then the vocabulary.
    Without a vocabulary: 0 is missing; then the `hash_buckets` ids. compositional: (batch, 2) or (batch, 2 max_length)
    int64: for each value 1 + hash mod hash_buckets, and an id of the second half of the rows, by the hash's quotient;
    missing is 0 and -1.
    Bucketised: 0 is missing; then the intervals. Numbers that are not finite are missing.
    An empty text is missing too, as it is in the logs. Of several values of a feature that takes one, the first counts.

    Args:
        features: by name, in the recipe's order.
        analysed: what the train split says.
        vocabularies: folder with `<table>.txt`, a value a line, for each table whose vocabulary is not empty.
    """

    def function(inputs: Mapping[str, tf.SparseTensor]) -> dict[str, tf.Tensor]:
        outputs: dict[str, tf.Tensor] = {}
        for name, feature in features.items():
            column = _present(inputs[column_of(name, feature)])
            outputs |= _ENCODERS[type(feature)](name, feature, column, analysed, os.fspath(vocabularies))
        return outputs

    return function


def write_transform_graph(
    features: Mapping[str, Feature], analysed: Analysed, vocabularies: str | Path, folder: str | Path
) -> None:
    """Writes the features as a TransformGraph that TFTransformOutput reads; it holds its vocabularies, and may move.

    Args:
        features, analysed, vocabularies: as for `preprocessing_fn`.
        folder: of the TransformGraph.
    """
    # Here, because serving needs `pack` alone.
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
    # `TFTransformOutput.vocabulary_by_name` looks here; only a run of TensorFlow Transform's own analysis would write it.
    known = {table: vocabulary_file(table) for table, size in analysed.vocabulary_sizes.items() if size}
    metadata = os.path.join(os.fspath(folder), tft.TFTransformOutput.TRANSFORMED_METADATA_DIR)
    with tf.io.gfile.GFile(os.path.join(metadata, tft.TFTransformOutput.ASSET_MAP), "w") as file:
        file.write(json.dumps(known))


def vocabulary_file(table: str) -> str:
    """The name of a table's vocabulary file."""
    return f"{table}.txt"


def _present(column: tf.SparseTensor) -> tf.SparseTensor:
    """The column without its empty texts; the values after them move up."""
    if column.dtype != tf.string:
        return column
    keep = tf.not_equal(column.values, "")
    values, rows = tf.boolean_mask(column.values, keep), tf.boolean_mask(column.indices[:, 0], keep)
    return tf.RaggedTensor.from_value_rowids(values, rows, column.dense_shape[0], validate=False).to_sparse()


def _categorical(
    name: str, feature: Categorical, column: tf.SparseTensor, analysed: Analysed, folder: str
) -> dict[str, tf.Tensor]:
    ids = _ids(name, feature, column.values, analysed, folder)
    first = _first(column, ids[:, 0], 0)
    if not is_compositional(feature):
        return {name: first}
    return {name: tf.stack([first, _first(column, ids[:, 1], -1)], axis=1)}


def _multivalued(
    name: str, feature: MultiValued, column: tf.SparseTensor, analysed: Analysed, folder: str
) -> dict[str, tf.Tensor]:
    used = column.indices[:, 1] < feature.max_length
    indices, values = tf.boolean_mask(column.indices, used), tf.boolean_mask(column.values, used)
    ids = _ids(name, feature, values, analysed, folder)
    shape = tf.stack([column.dense_shape[0], feature.max_length])
    dense = [
        tf.sparse.to_dense(tf.SparseTensor(indices, one, shape), default_value=-1, validate_indices=False)
        for one in tf.unstack(ids, axis=1)
    ]
    width = feature.max_length * len(dense)
    return {name: tf.ensure_shape(tf.reshape(tf.stack(dense, axis=2), (-1, width)), (None, width))}


def _bucketised(
    name: str, feature: Bucketised, column: tf.SparseTensor, analysed: Analysed, folder: str
) -> dict[str, tf.Tensor]:
    buckets = tf.raw_ops.Bucketize(input=column.values, boundaries=list(analysed.boundaries[name]))
    ids = tf.where(tf.math.is_finite(column.values), tf.cast(buckets, tf.int64) + 1, tf.constant(0, tf.int64))
    return {name: _first(column, ids, 0)}


def _numeric(
    name: str, feature: Numeric, column: tf.SparseTensor, analysed: Analysed, folder: str
) -> dict[str, tf.Tensor]:
    shift, scale = analysed.scaling[name]
    finite = tf.math.is_finite(column.values)
    values = tf.cast(column.values, tf.float64)
    if feature.transform == "log1p":
        values = tf.sign(values) * tf.math.log1p(tf.abs(values))
        # The moments are those of float32 numbers: of the same ones.
        values = tf.cast(tf.cast(values, tf.float32), tf.float64)
    scaled = tf.cast((values - tf.constant(shift, tf.float64)) / tf.constant(scale, tf.float64), tf.float32)
    return {
        name: _first(column, tf.where(finite, scaled, tf.zeros_like(scaled)), 0.0),
        missing_name(name): _first(column, tf.cast(~finite, tf.float32), 1.0),
    }


_ENCODERS: dict[type, Callable[..., dict[str, tf.Tensor]]] = {
    Categorical: _categorical,
    MultiValued: _multivalued,
    Bucketised: _bucketised,
    Numeric: _numeric,
}


def _first(column: tf.SparseTensor, values: tf.Tensor, missing: float) -> tf.Tensor:
    """(batch,): each row's first value, or `missing`; `values` (value,) stand where those of the column do."""
    shape = tf.stack([column.dense_shape[0], tf.maximum(column.dense_shape[1], 1)])
    sparse = tf.SparseTensor(column.indices, values, shape)
    return tf.sparse.to_dense(sparse, default_value=tf.cast(missing, values.dtype), validate_indices=False)[:, 0]


def _ids(
    name: str, feature: Categorical | MultiValued, values: tf.Tensor, analysed: Analysed, folder: str
) -> tf.Tensor:
    """(value, 1) int64: the id of every value; (value, 2) for a compositional feature."""
    if feature.hash_buckets is None:
        return tf.expand_dims(_known_ids(name, feature, values, analysed, folder), 1)
    if not feature.compositional:
        return tf.expand_dims(1 + _bucket(values, feature.hash_buckets), 1)
    # Remainder and quotient of one hash are as good as two independent ones.
    hashes = _bucket(values, feature.hash_buckets**2)
    remainder, quotient = hashes % feature.hash_buckets, hashes // feature.hash_buckets
    return tf.stack([1 + remainder, 1 + feature.hash_buckets + quotient], axis=1)


def _known_ids(
    name: str, feature: Categorical | MultiValued, values: tf.Tensor, analysed: Analysed, folder: str
) -> tf.Tensor:
    """(value,) int64: the id of every value of a feature with a vocabulary."""
    table = table_of(name, feature)
    outside = 1 + _bucket(values, feature.oov_buckets)
    # TensorFlow refuses a vocabulary file without a line.
    if not analysed.vocabulary_sizes[table]:
        return outside
    ranks = _lookup_table(table, values.dtype, folder).lookup(values)
    return tf.where(ranks < 0, outside, ranks + first_vocabulary_id(feature))


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


def _lookup_table(table: str, dtype: tf.DType, folder: str) -> tf.lookup.StaticHashTable:
    """The vocabulary as a table value -> rank, -1 for others; one for all features that share it.

    Tracked, and not `tft.apply_vocabulary` of a path, which would keep the path after the folder moved.
    """
    import tensorflow_transform as tft

    path = os.path.join(folder, vocabulary_file(table))

    def make() -> tf.lookup.StaticHashTable:
        index = tf.lookup.TextFileIndex
        lines = tf.lookup.TextFileInitializer(path, dtype, index.WHOLE_LINE, tf.int64, index.LINE_NUMBER)
        return tf.lookup.StaticHashTable(lines, default_value=-1)

    return tft.make_and_track_object(make, name=f"vocabulary_{table}")
