"""Reads the true values of items and finds the truly best items of each eval query."""

from __future__ import annotations

import contextlib

import numpy as np
import polars as pl
import pyarrow as pa

from components.evaluation.truth import GROUP_BYTES, groups, scan
from components.event_logs.files import matched_files
from components.event_logs.listed_files import ListedFiles
from components.retrieval_evaluation.exact_top_k import NO_ITEM
from components.retrieval_evaluation.plan import BestItemsPlan
from components.retrieval_evaluation.row_lists import RowLists, Rows
from components.storage.reading import LocalCopy
from models.recipe.errors import InputError

WHAT = "retrieval.truth"

_USER, _ITEM, _QUERY, _ROW, _VALUE = "__user", "__item", "__query", "__row", "__value"


def read_best_items(
    plan: BestItemsPlan, users: pa.Array, items: pa.Array, excluded: RowLists, k: int, fingerprint: str = ""
) -> Rows:
    """The k items of the largest true value for each query, the best first; of equal ones the smaller row first.

    Only items that can be answered count: those in `items` that are not excluded for the query. The result does not depend
    on the order of files or rows. In memory are one group of files and the k best items so far.

    Args:
        plan: files and columns.
        users: (query,) user ids, each once; compared as text.
        items: (item,) ids of the items that can be answered, each once; compared as text.
        excluded: for each query the items that are not answered.
        k: at least 1.
        fingerprint: fingerprint of the files (`best_items_fingerprint`); "" if none were visible at assembly.

    Returns:
        (query, k) int32, NO_ITEM behind the last item. A query whose user the files lack has none.

    Raises:
        InputError: there is no file, a column is missing, a value is not a number, files changed since they were listed, or
            the files have no user of the queries.
    """
    listed = ListedFiles(plan.data, {WHAT: plan.path}, fingerprint)
    with listed.still():
        found = _read(plan, users, items, excluded, k, listed)
    if len(users) and not found.height:
        raise InputError(
            f"{WHAT}: no row of {plan.path} has both a user of the {len(users)} eval queries and one of the {len(items)} items "
            f"known before the eval split. Check the columns {plan.user!r} and {plan.item!r}, or list more users."
        )
    best = np.full((len(users), k), NO_ITEM, np.int32)
    queries = found[_QUERY].to_numpy()
    best[queries, np.arange(len(queries)) - np.searchsorted(queries, queries)] = found[_ROW].to_numpy()
    return best


def _read(
    plan: BestItemsPlan, users: pa.Array, items: pa.Array, excluded: RowLists, k: int, listed: ListedFiles
) -> pl.DataFrame:
    """_QUERY, _ROW and _VALUE of the best items, by query, the best first."""
    files = matched_files(plan.data, plan.path, WHAT)
    listed.require(files)
    queries, rows = (
        pl.LazyFrame({name: pl.Series(pl.from_arrow(ids)).cast(pl.String)}).with_row_index(index)
        for name, index, ids in ((_USER, _QUERY, users), (_ITEM, _ROW, items))
    )
    out = pl.LazyFrame({_QUERY: excluded.owners, _ROW: excluded.rows}, {_QUERY: pl.UInt32, _ROW: pl.UInt32})
    best = pl.DataFrame(schema={_QUERY: pl.UInt32, _ROW: pl.UInt32, _VALUE: pl.Float64})
    for paths in groups(files, GROUP_BYTES):
        with contextlib.ExitStack() as copies:
            read = pl.concat([_table(plan, path, copies.enter_context(LocalCopy(path))) for path in paths])
            mine = read.join(queries, on=_USER).join(rows, on=_ITEM).select(_QUERY, _ROW, _VALUE)
            more = mine.join(out, on=[_QUERY, _ROW], how="anti").collect(engine="streaming")
        _require_numbers(plan, more)
        best = (
            pl.concat([best, more])
            .group_by(_QUERY, _ROW)
            .agg(pl.col(_VALUE).max())
            .sort(_QUERY, _VALUE, _ROW, descending=[False, True, False])
            .group_by(_QUERY, maintain_order=True)
            .head(k)
        )
    return best


def _table(plan: BestItemsPlan, path: str, copy: str) -> pl.LazyFrame:
    """Ids as text and values of a file, read from `copy`.

    Raises:
        InputError: a column is missing.
    """
    return scan(path, copy, (plan.user, plan.item, plan.value), WHAT).select(
        pl.col(plan.user).cast(pl.String).alias(_USER),
        pl.col(plan.item).cast(pl.String).alias(_ITEM),
        pl.col(plan.value).cast(pl.Float64, strict=False).alias(_VALUE),
    )


def _require_numbers(plan: BestItemsPlan, rows: pl.DataFrame) -> None:
    missing = int((~rows[_VALUE].is_finite().fill_null(False)).sum())
    if missing:
        raise InputError(
            f"{WHAT}: {missing} of {rows.height} rows of {plan.path} have no number in column {plan.value!r}. Expected one "
            "number per user and item."
        )
