"""Reads the item table of an exported retrieval model: raw columns and vectors of some items."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models.recipe.errors import InputError
from models.retrieval.plan import VECTOR_COLUMN


def items_of(path: Path, item: str, ids: Sequence[Any], columns: Sequence[str]) -> pa.Table:
    """Rows of the item table.

    Args:
        path: path of the table.
        item: the id column.
        ids: distinct ids of the column's type, bytes or int.
        columns: columns to read. Columns that the table lacks are skipped.

    Returns:
        One row per id, in the order of `ids`.

    Raises:
        InputError: the table lacks an id.
    """
    schema = pq.read_schema(path)
    wanted = pa.array(ids, schema.field(item).type)
    present = [column for column in dict.fromkeys(columns) if column in schema.names]
    table = pq.read_table(path, columns=[*{item, *present}], filters=pc.field(item).isin(wanted))
    places = pc.index_in(wanted, table[item].combine_chunks())
    if places.null_count:
        absent = [one for one, place in zip(ids, places.to_pylist(), strict=True) if place is None]
        raise InputError(
            f"{path}: {len(absent)} of {len(ids)} candidates are not in the item table, such as {absent[0]!r}. The index belongs to "
            "another version of the model: rebuild it with `gatewise index`."
        )
    return table.take(places).select(present)


def rows_of(table: pa.Table) -> list[dict[str, Any]]:
    """{column: value or list of values} for each row; an empty list is a missing value."""
    return table.to_pylist()


def vectors_of(table: pa.Table, prior: bool) -> np.ndarray:
    """(item, dim) float32: the items' vectors.

    Args:
        table: table with the column of vectors.
        prior: whether the last dimension is the prior. It is removed, because it describes how often an item is chosen, not
            what the item is like.
    """
    column = table[VECTOR_COLUMN].combine_chunks()
    vectors = column.flatten().to_numpy().reshape(len(column), -1)
    return vectors[:, :-1] if prior else vectors
