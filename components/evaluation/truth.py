"""Known true probabilities, of simulated logs, brought beside the examples by event id."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from components.evaluation.plan import TruthPlan
from components.event_logs.files import format_of, matched_files
from models.errors import InputError
from models.registry import known

_KEY = "__event_id"


def read_truth(plan: TruthPlan, event_ids: pa.ChunkedArray) -> dict[str, NDArray[Any]]:
    """The true values of the examples.

    Args:
        plan: files and columns.
        event_ids: (n,) the examples' event ids; compared as text.

    Returns:
        task -> (n,) float64.

    Raises:
        InputError: no file, no such column, an example without truth, or a true value that is not a number.
    """
    what = "evaluation.truth"
    ids = pl.Series(_KEY, [None] * 0, dtype=pl.String)
    if len(event_ids):
        ids = pl.Series(_KEY, pl.from_arrow(event_ids)).cast(pl.Binary).cast(pl.String)
    wanted = pl.LazyFrame({_KEY: ids}).with_row_index("__row")
    tables = []
    for path in matched_files(plan.data, plan.path, what):
        table = _scan(path, format_of(path, None, what))
        names = table.collect_schema().names()
        for column in (plan.event_id, *plan.columns.values()):
            if column not in names:
                raise InputError(f"{what}: {path} has no column {column!r}; {known(column, names)}")
        tables.append(
            table.select(
                pl.col(plan.event_id).cast(pl.String).alias(_KEY),
                *(pl.col(column).cast(pl.Float64).alias(task) for task, column in plan.columns.items()),
            )
        )
    # Only the examples' own rows are kept while reading; an event logged twice has one truth.
    rows = pl.concat(tables).join(wanted.select(_KEY), on=_KEY, how="semi").unique(subset=_KEY, keep="any")
    joined = wanted.join(rows, on=_KEY, how="left").sort("__row").collect()
    found = {}
    for task, column in plan.columns.items():
        values = joined[task].to_numpy()
        missing = ~np.isfinite(values)
        if missing.any():
            first = joined[_KEY][int(np.flatnonzero(missing)[0])]
            raise InputError(
                f"{what}: {int(missing.sum())} of {len(values)} eval examples have no number in column {column!r} of "
                f"{plan.path}; the first is the event {first!r}. Expected one for every impression."
            )
        found[task] = values
    return found


def _scan(path: str, format: str) -> pl.LazyFrame:
    if format == "parquet":
        return pl.scan_parquet(path)
    if format == "csv":
        return pl.scan_csv(path, infer_schema=False)
    return pl.scan_ndjson(path)
