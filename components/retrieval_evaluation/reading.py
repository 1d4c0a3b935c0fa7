"""Reads the output of the stage Interactions for the evaluation. Ids become rows of the item table."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from components.example_schema import ARROW_TYPES
from components.retrieval_evaluation.eval_queries import EvalQueries, TrainPositives
from components.retrieval_evaluation.row_lists import RowLists
from components.storage.reading import open_file, open_parquet
from models.recipe.checks.served_names import OWN
from models.retrieval.plan import HISTORY

RELEVANT, SEEN, POSITIVES, IMPRESSIONS = "relevant", "seen", f"{OWN}positives", f"{OWN}impressions"
"""Begins the names of an item table's columns that are no raw columns."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Problem:
    """The eval queries as tables, for models, and as arrays.

    Attributes:
        eval_queries: one row for each query, every column a large list.
        items: one row for each item: its id and raw columns as large lists, ours plain.
        asked: both as rows of items and counts.
        unanswerable: share of the eval split's positives with an item that is not in the item table; None without positives.
    """

    eval_queries: pa.Table
    items: pa.Table
    asked: EvalQueries
    unanswerable: float | None


def read_problem(
    eval_queries: str, items: str, train: str, evaluated: str, *, item: str, exclude_seen: bool
) -> Problem:
    """Reads the four files.

    Args:
        eval_queries: Parquet file of the eval_queries.
        items: Parquet file of the items that can be answered.
        train: Arrow file of the train split's positives.
        evaluated: Arrow file of the eval split's positives.
        item: column that names the items.
        exclude_seen: whether the items that a user has seen are excluded.

    Raises:
        ValueError: a query has no relevant item among the items.
    """
    with open_parquet(eval_queries) as file:
        asked = as_lists(file.read())
    with open_parquet(items) as file:
        known = as_lists(file.read())
    ids = pc.list_flatten(known.column(item)).combine_chunks()
    relevant, seen, history = (item_rows(asked.column(name), ids) for name in (RELEVANT, SEEN, HISTORY))
    if not relevant.lengths.all():
        raise ValueError(f"{eval_queries}: query {int(relevant.lengths.argmin())} has no relevant item of {items}")
    return Problem(
        eval_queries=asked,
        items=known,
        asked=EvalQueries(
            relevant=relevant,
            excluded=seen if exclude_seen else RowLists.empty(len(asked)),
            # Without a history in the recipe, the users have chosen items nevertheless.
            history=history if len(history.rows) else seen,
            popularity=known.column(POSITIVES).to_numpy().astype(np.int64),
            exposure=np.maximum(known.column(IMPRESSIONS).to_numpy().astype(np.int64), 1),
            train=_train_positives(train),
        ),
        unanswerable=_unanswerable(evaluated),
    )


def item_rows(lists: pa.ChunkedArray, ids: pa.Array) -> RowLists:
    """Lists of ids as lists of rows; an id that is not among the items is left out.

    Args:
        lists: large lists of ids.
        ids: (items,) each once, of the lists' type.
    """
    column = lists.combine_chunks()
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy()
    rows = pc.fill_null(pc.index_in(pc.list_flatten(column), value_set=ids), -1).to_numpy()
    owners = np.repeat(np.arange(len(column)), lengths)[rows >= 0]
    offsets = np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=len(column)))]).astype(np.int64)
    return RowLists(offsets, rows[rows >= 0].astype(np.int32))


def as_lists(table: pa.Table) -> pa.Table:
    """Every raw column as large lists of tf.Example's three types; a plain value is a list of one, null an empty one."""
    return pa.table(
        {
            name: column if name.startswith(OWN) else _as_lists(column)
            for name, column in zip(table.column_names, table.columns, strict=True)
        }
    )


def _as_lists(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return column.cast(pa.large_list(_type_of(kind.value_type)))
    plain = column.combine_chunks()
    offsets = np.concatenate([[0], np.cumsum(plain.is_valid().to_numpy(zero_copy_only=False))])
    values = plain.drop_null().cast(_type_of(kind))
    return pa.chunked_array([pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), values)])


def _type_of(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_integer(kind):
        return ARROW_TYPES["int"]
    return ARROW_TYPES["float" if pa.types.is_floating(kind) else "bytes"]


def _train_positives(path: str) -> TrainPositives:
    users, items, times = _columns(path, ("user", "item_row", "time"))
    there = items >= 0
    return TrainPositives(
        users=users[there],
        items=items[there],
        times=times[there],
        latest=int(times.max(initial=np.iinfo(np.int64).min)),
    )


def _unanswerable(path: str) -> float | None:
    [items] = _columns(path, ("item_row",))
    return float(np.mean(items < 0)) if len(items) else None


def _columns(path: str, names: Sequence[str]) -> list[NDArray[Any]]:
    with open_file(path, mapped=True) as file:
        table = pa.ipc.open_file(file).read_all().select(names)
        # Copies, as the file is closed behind them.
        return [np.array(table.column(name)) for name in names]
