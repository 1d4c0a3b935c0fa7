"""Raw examples as arrays: each column has a list per row; a missing value is an empty list or null."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.example_schema import ARROW_TYPES, TIME
from models.recipe.errors import InputError
from models.recipe.features import Feature, column_types, columns_of, feature_columns


def check_columns(schema: pa.Schema, features: Mapping[str, Feature], where: str) -> None:
    """Checks that the examples have a list column of the right type for every feature.

    Raises:
        InputError: a column is missing or has another type.
    """
    types = column_types(features)
    read = [(name, column) for name, feature in features.items() for column in columns_of(name, feature)]
    for name, column in read:
        if column not in schema.names:
            raise InputError(
                f"{where}: feature {name!r} reads the column {column!r}, which the examples do not have. "
                f"Their columns: {', '.join(schema.names)}."
            )
        received, expected = schema.field(column).type, ARROW_TYPES[types[column]]
        if not _is_list(received) or not _same_kind(received.value_type, expected):
            raise InputError(
                f"{where}: feature {name!r} needs the column {column!r} as a list of {expected}, found {received}."
            )


def check_times(schema: pa.Schema, where: str) -> None:
    """Checks that the examples have the times of their impressions, which the ids of the vocabularies are counted by.

    Raises:
        InputError: they have none.
    """
    if TIME not in schema.names or not _is_list(schema.field(TIME).type):
        raise InputError(
            f"{where}: `training.start: warm` needs the column {TIME!r} of the impressions' times, which the examples do not "
            f"have. Their columns: {', '.join(schema.names)}. Read them from event logs with `logs.span`."
        )


def first_values(column: pa.Array, most: int) -> pa.Array:
    """The first `most` values of every row, one after the other."""
    values = column.flatten()
    counts = lengths(column)
    if not len(counts) or counts.max() <= most:
        return values
    return values.filter(pa.array(positions(counts) < most))


def whole_vectors(column: pa.Array, dim: int) -> np.ndarray:
    """(vector, dim) float32: the rows with `dim` values, all finite. The others have no vector, as in the graph."""
    values = column.flatten().cast(pa.float32(), safe=False).to_numpy(zero_copy_only=False)
    counts = lengths(column)
    vectors = values[np.repeat(counts == dim, counts)].reshape(-1, dim)
    return vectors[np.isfinite(vectors).all(axis=1)]


def lengths(column: pa.Array) -> np.ndarray:
    """(row,) int64: how many values each row has; 0 for null."""
    if not column.null_count:
        return np.diff(column.offsets.to_numpy()).astype(np.int64, copy=False)
    return pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False).astype(np.int64, copy=False)


def positions(counts: np.ndarray) -> np.ndarray:
    """(value,) int64: the place of each value in its row, from 0; `counts` as of `lengths`."""
    starts = np.cumsum(counts) - counts
    return np.arange(counts.sum()) - np.repeat(starts, counts)


def rows_of(column: pa.Array) -> np.ndarray | None:
    """(value,) int64: the row of each value; None where each row has exactly one."""
    counts = lengths(column)
    if not len(counts) or counts.max() > 1:
        return np.repeat(np.arange(len(counts)), counts)
    return None if counts.min() == 1 else np.flatnonzero(counts)


def distinct_values(column: pa.Array) -> tuple[np.ndarray, np.ndarray | None]:
    """All values of all rows, texts by their places among the distinct ones.

    One Python object is made for each distinct text, not for each value.

    Returns:
        Of numbers: (value,) int64 or float32, and None. Of texts: (distinct,) bytes as objects, at least one, and
        (value,) int32 places in them.
    """
    values = column.flatten()
    if pa.types.is_integer(values.type):
        return values.cast(pa.int64()).to_numpy(zero_copy_only=False), None
    if pa.types.is_floating(values.type):
        return values.cast(pa.float32()).to_numpy(zero_copy_only=False), None
    encoded = pc.dictionary_encode(values.cast(pa.large_binary()))
    distinct = encoded.dictionary if len(encoded.dictionary) else pa.array([b""], pa.large_binary())
    return distinct.to_numpy(zero_copy_only=False), encoded.indices.to_numpy()


def one_of_each(batch: pa.RecordBatch, names: Iterable[str]) -> np.ndarray:
    """(row, name) float32: columns that have exactly one value in every row, side by side.

    Raises:
        ValueError: a row has none or several.
    """
    arrays = []
    for name in names:
        column = batch.column(name)
        if not (lengths(column) == 1).all():
            raise ValueError(f"the column {name!r} must have exactly one value in every row")
        arrays.append(distinct_values(column)[0])
    return np.stack(arrays, axis=1).astype(np.float32, copy=False)


def raw_names(features: Mapping[str, Feature]) -> list[str]:
    """The raw columns that the features read."""
    return list(feature_columns(features))


def _is_list(kind: pa.DataType) -> bool:
    return pa.types.is_list(kind) or pa.types.is_large_list(kind)


def _same_kind(received: pa.DataType, expected: pa.DataType) -> bool:
    if expected == ARROW_TYPES["int"]:
        return pa.types.is_integer(received)
    if expected == ARROW_TYPES["float"]:
        return pa.types.is_floating(received)
    return any(is_(received) for is_ in _BYTES)


_BYTES = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_string, pa.types.is_large_string)
