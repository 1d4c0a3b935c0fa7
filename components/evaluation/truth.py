"""True probabilities of simulated logs, joined to the examples by event id."""

from __future__ import annotations

import contextlib
import glob
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from components.evaluation.plan import TruthPlan
from components.event_logs.files import format_of, matched_files
from components.event_logs.listed_files import ListedFiles
from components.storage.finding import size_of
from components.storage.reading import LocalCopy
from models.recipe.errors import InputError
from models.recipe.registry import known

# Bytes of the files that are read together. The event ids are joined once per such group.
GROUP_BYTES = 1 << 26

WHAT = "evaluation.truth"

_KEY, _ROW = "__event_id", "__row"


def read_truth(plan: TruthPlan, event_ids: pa.ChunkedArray, fingerprint: str = "") -> dict[str, NDArray[Any]]:
    """The true values of the examples.

    Args:
        plan: files and columns.
        event_ids: (n,) the examples' event ids; compared as text.
        fingerprint: fingerprint of the files to read (`truth_fingerprint`); "" if none were visible at assembly.

    Returns:
        task -> (n,) float64.

    Raises:
        InputError: there is no file, a column is missing, an example has no truth, a true value is not a number, or files
            changed since they were listed.
    """
    listed = ListedFiles(plan.data, {WHAT: plan.paths}, fingerprint)
    with listed.still():
        return _read(plan, event_ids, listed)


def _read(plan: TruthPlan, event_ids: pa.ChunkedArray, listed: ListedFiles) -> dict[str, NDArray[Any]]:
    wanted = _numbered(event_ids)
    files = matched_files(plan.data, plan.paths, WHAT)
    listed.require(files)
    found = {task: np.full(len(event_ids), np.nan) for task in plan.columns}
    for paths in groups(files, GROUP_BYTES):
        # Only the examples' rows of each file are kept. An event that is logged twice has one truth.
        with contextlib.ExitStack() as copies:
            read = pl.concat([_table(plan, path, copies.enter_context(LocalCopy(path))) for path in paths])
            rows = read.join(wanted, on=_KEY, how="inner").drop(_KEY).collect(engine="streaming")
        places = rows[_ROW].to_numpy()
        for task, values in found.items():
            values[places] = rows[task].fill_null(np.nan).to_numpy()
    for task, column in plan.columns.items():
        values = found[task]
        missing = ~np.isfinite(values)
        if missing.any():
            first = wanted.collect()[_KEY][int(np.flatnonzero(missing)[0])]
            raise InputError(
                f"{WHAT}: {int(missing.sum())} of {len(values)} eval examples have no number in column {column!r} of "
                f"{', '.join(plan.paths)}; the first is the event {first!r}. Expected one number per impression."
            )
    return found


def _numbered(event_ids: pa.ChunkedArray) -> pl.LazyFrame:
    """The event ids as text, with their positions."""
    ids = pl.Series(_KEY, [None] * 0, dtype=pl.String)
    if len(event_ids):
        ids = pl.Series(_KEY, pl.from_arrow(event_ids)).cast(pl.Binary).cast(pl.String)
    return pl.LazyFrame({_KEY: ids}).with_row_index(_ROW)


def groups(paths: list[str], most: int) -> Iterator[list[str]]:
    """The files in their order, in groups of at most `most` bytes or one file."""
    group: list[str] = []
    size = 0
    for path in paths:
        bytes_ = size_of(path)
        if group and size + bytes_ > most:
            yield group
            group, size = [], 0
        group.append(path)
        size += bytes_
    yield group


def _table(plan: TruthPlan, path: str, copy: str) -> pl.LazyFrame:
    """The keys and true values of a file, by task, read from `copy`.

    Raises:
        InputError: a column is missing.
    """
    return scan(path, copy, (plan.event_id, *plan.columns.values()), WHAT).select(
        pl.col(plan.event_id).cast(pl.String).alias(_KEY),
        *(pl.col(column).cast(pl.Float64).alias(task) for task, column in plan.columns.items()),
    )


def scan(path: str, copy: str, columns: Iterable[str], what: str) -> pl.LazyFrame:
    """The rows of a file of true values, read from its local copy.

    Args:
        path: the file, for messages.
        copy: its local copy.
        columns: columns that it must have.
        what: the key of the recipe, for messages.

    Raises:
        InputError: a column is missing.
    """
    table = _scanned(copy, format_of(path, None, what))
    names = table.collect_schema().names()
    for column in columns:
        if column not in names:
            raise InputError(f"{what}: {path} has no column {column!r}; {known(column, names)}")
    return table


def _scanned(path: str, format: str) -> pl.LazyFrame:
    if format == "parquet":
        return pl.scan_parquet(path, glob=False)
    if format == "csv":
        return pl.scan_csv(path, infer_schema=False, glob=False)
    return pl.scan_ndjson(glob.escape(path))  # it has no `glob`
