"""Reads the item table, which the stage Interactions writes: one row per item, with its raw columns as lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import tensorflow as tf

from models.files.split_files import files_of
from models.recipe.errors import InputError
from models.retrieval.plan import IdPlan
from models.serving.plan import InputPlan

_DTYPES = {"bytes": tf.string, "int": tf.int64, "float": tf.float32}
BATCH_ROWS = 16_384


def read_items(pattern: str, item: IdPlan) -> pa.Table:
    """Reads the item table.

    Args:
        pattern: glob of its file.
        item: the column of the item ids.

    Raises:
        InputError: no file matches, the table is empty, or it lacks the column.
    """
    paths = files_of(pattern)
    if len(paths) != 1:
        raise InputError(f"{pattern}: expected the one Parquet file of an item table, found {len(paths)} files.")
    table = pq.read_table(paths[0])
    if item.column not in table.column_names:
        raise InputError(
            f"{paths[0]}: expected an item table with the column {item.column!r}, found {table.column_names}."
        )
    if not table.num_rows:
        raise InputError(
            f"{paths[0]}: the item table is empty, so there is nothing to retrieve. Check `retrieval.item_ttl`: items not "
            "seen for that long before `logs.as_of` are dropped."
        )
    return table


def raw_batches(
    table: pa.Table, inputs: Mapping[str, InputPlan], batch_rows: int = BATCH_ROWS
) -> Iterator[tuple[int, dict[str, tf.SparseTensor]]]:
    """Batches of the table's raw columns as inputs of the transform graph: (rows, {column: (row, value)})."""
    for start in range(0, table.num_rows, batch_rows):
        part = table.slice(start, batch_rows).combine_chunks()
        yield part.num_rows, {name: _sparse(part.column(name), about) for name, about in inputs.items()}


def _sparse(column: pa.ChunkedArray, about: InputPlan) -> tf.SparseTensor:
    array = column.chunk(0) if column.num_chunks else pa.array([], column.type)
    if not (pa.types.is_list(array.type) or pa.types.is_large_list(array.type)):
        # The item id column: one value per row.
        flat, lengths = array, np.ones(len(array), np.int64)
    else:
        flat, lengths = array.flatten(), np.diff(array.offsets.to_numpy())
    rows = np.repeat(np.arange(len(array)), lengths)
    places = np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    shape = (len(array), int(lengths.max(initial=0)))
    values = tf.constant(flat.to_numpy(zero_copy_only=False), _DTYPES[about.type], shape=(len(rows),))
    return tf.SparseTensor(np.stack([rows, places], axis=1).astype(np.int64), values, shape)
