"""Named columns inside the served model: their specs, and the conversion to inputs of the transform graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from models.recipe.argument_names import argument_names
from models.serving.named_rows import MISSING

_DTYPES = {"bytes": tf.string, "int": tf.int64, "float": tf.float32}


def specs(inputs: Mapping[str, Mapping[str, Any]]) -> dict[str, tf.TensorSpec]:
    """{column: (row,), or (row, value) for lists}, under valid names of a signature.

    Args:
        inputs: {column: {"type", "multivalued", ...}}.
    """
    return {
        column: tf.TensorSpec((None, None) if about["multivalued"] else (None,), _DTYPES[about["type"]], name=name)
        for (column, about), name in zip(inputs.items(), argument_names(inputs).values(), strict=True)
    }


def missing_columns(inputs: Mapping[str, Mapping[str, Any]]) -> dict[str, tf.Tensor]:
    """{column: one row without a value}: defaults of absent columns."""
    return {
        column: tf.zeros((1, 0), _DTYPES[about["type"]])
        if about["multivalued"]
        else tf.constant([MISSING[about["type"]]], _DTYPES[about["type"]])
        for column, about in inputs.items()
    }


def sparse(values: tf.Tensor) -> tf.SparseTensor:
    """Converts (row,) or (row, value) to an input of the transform graph: drops missing values and shifts the others left.

    Keeps empty texts and numbers that are not finite, which the graph reads as missing.
    """
    shape = tf.shape(values, tf.int64)
    width = shape[1] if values.shape.rank == 2 else tf.constant(1, tf.int64)
    flat = tf.reshape(values, (-1,))
    if values.dtype != tf.int64:
        places = tf.range(tf.size(flat, tf.int64))
        indices = tf.stack([places // tf.maximum(width, 1), places % tf.maximum(width, 1)], axis=1)
        return tf.SparseTensor(indices, flat, tf.stack([shape[0], width]))
    present = tf.reshape(tf.where(tf.not_equal(flat, MISSING["int"])), (-1,))
    ragged = tf.RaggedTensor.from_value_rowids(
        tf.gather(flat, present), present // tf.maximum(width, 1), shape[0], validate=False
    )
    return ragged.to_sparse()


def rows(columns: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """() int32: number of rows of the request. A column of one row is repeated, so the other columns decide."""
    counts = tf.stack([tf.shape(values)[0] for values in columns.values()])
    return tf.where(tf.reduce_min(counts) == 0, 0, tf.reduce_max(counts))


def repeated(values: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    """(1, ...) or (count, ...) -> (count, ...); any other number of rows is an error."""
    return tf.broadcast_to(values, tf.concat([tf.expand_dims(count, 0), tf.shape(values)[1:]], axis=0))


def one_value(value: Any, dtype: tf.DType, count: tf.Tensor) -> tf.SparseTensor:
    """A column with the same value in all of its rows."""
    every = tf.range(tf.cast(count, tf.int64))
    indices = tf.stack([every, tf.zeros_like(every)], axis=1)
    return tf.SparseTensor(
        indices, tf.fill(tf.shape(every), tf.constant(value, dtype)), tf.stack([tf.size(every, tf.int64), 1])
    )


def no_values(dtype: tf.DType, count: tf.Tensor) -> tf.SparseTensor:
    """A column without a value in any of its rows."""
    shape = tf.stack([tf.cast(count, tf.int64), tf.constant(0, tf.int64)])
    return tf.SparseTensor(tf.zeros((0, 2), tf.int64), tf.zeros((0,), dtype), shape)
