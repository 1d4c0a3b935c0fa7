"""Writes the files of the stage: positives as an Arrow file that the trainer maps, tables as Parquet."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from components.example_schema import EVAL, TRAIN
from components.storage.writing import whole_file

ITEMS, EVAL_ITEMS, EVAL_QUERIES = "items", "eval_items", "eval_queries"
_POSITIVES = "interactions.arrow"
FILES = {
    TRAIN: _POSITIVES,
    EVAL: _POSITIVES,
    ITEMS: "items.parquet",
    EVAL_ITEMS: "items.parquet",
    EVAL_QUERIES: "eval_queries.parquet",
}
"""Split of the interactions -> its file."""
_BATCH_ROWS = 65_536


def write_positives(columns: Mapping[str, NDArray[Any]], folder: str) -> None:
    """Writes arrays (positive,) and (positive, width) as columns of numbers and of lists of a fixed size."""
    arrays = {name: _column(values) for name, values in columns.items()}
    fields = [pa.field(name, array.type, nullable=False) for name, array in arrays.items()]
    table = pa.Table.from_arrays(list(arrays.values()), schema=pa.schema(fields))
    with (
        whole_file(os.path.join(folder, _POSITIVES)) as temporary,
        pa.OSFile(temporary, "wb") as file,
        pa.ipc.new_file(file, table.schema) as writer,
    ):
        writer.write_table(table, max_chunksize=_BATCH_ROWS)


def write_table(table: pa.Table, folder: str, name: str) -> None:
    """Writes a Parquet file."""
    with whole_file(os.path.join(folder, name)) as temporary:
        pq.write_table(table, temporary)


def _column(values: NDArray[Any]) -> pa.Array:
    if values.ndim == 1:
        return pa.array(values)
    return pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(values).reshape(-1)), values.shape[1])
