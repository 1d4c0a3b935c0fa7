"""Reads the raw Parquet files and the transformed Arrow files of the examples in parallel, file by file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl
import pyarrow as pa

from components.example_schema import EXAMPLE_ID, TIME
from components.storage.reading import open_file, open_parquet
from models.recipe.errors import InputError

READ_ROWS = 1 << 19
"""Rows in memory at once, of those columns that are read."""


def check_columns(path: str, user: str, item: str, others: Sequence[str]) -> None:
    """Checks that the examples say who chose what.

    Args:
        path: a Parquet file of raw examples.
        user, item: the columns that name them.
        others: further columns that will be read.

    Raises:
        InputError: a column is missing.
    """
    with open_parquet(path) as parquet:
        names = parquet.schema_arrow.names
    for column, key in ((user, "retrieval.user"), (item, "retrieval.item"), *((other, "a tower") for other in others)):
        if column not in names:
            raise InputError(
                f"{path}: {key} reads the column {column!r}, which the examples do not have. Their columns: "
                f"{', '.join(names)}. Name one of the impressions' columns."
            )


def latest_time(raw: Sequence[str]) -> int | None:
    """The time of the newest example, microseconds since 1970 UTC; None without examples.

    Args:
        raw: Parquet files.
    """
    latest: int | None = None
    for path in raw:
        with open_parquet(path) as parquet:
            for batch in parquet.iter_batches(READ_ROWS, columns=[TIME]):
                if batch.num_rows:
                    newest = int(batch.column(TIME).flatten().to_numpy().max())
                    latest = newest if latest is None else max(latest, newest)
    return latest


def in_step(
    raw: Sequence[str], transformed: Sequence[str], plain: Sequence[str], lists: Sequence[str]
) -> Iterator[tuple[pl.DataFrame, pa.Table]]:
    """The rows of all files, some at a time.

    Args:
        raw: Parquet files.
        transformed: Arrow files: the same examples in the same order.
        plain: raw columns that have one value at most.
        lists: other raw columns.

    Yields:
        Raw columns, the plain ones with null where missing, and example id and time; and the transformed rows, which are
        valid until the next ones are asked for.

    Raises:
        ValueError: the two sides are not the same examples.
    """
    names = [_stem(path) for path in raw]
    if names != [_stem(path) for path in transformed]:
        raise ValueError(f"expected transformed files named like the raw ones, {names}; received {list(transformed)}")
    ours = [EXAMPLE_ID, TIME]
    for raw_path, transformed_path in zip(raw, transformed, strict=True):
        with open_file(transformed_path, mapped=True) as file, open_parquet(raw_path) as parquet:
            table = pa.ipc.open_file(file).read_all()
            if len(table) != parquet.metadata.num_rows:
                raise _out_of_step(raw_path, transformed_path)
            at = 0
            for batch in parquet.iter_batches(READ_ROWS, columns=list(dict.fromkeys([*ours, *plain, *lists]))):
                frame = pl.DataFrame(pl.from_arrow(batch)).with_columns(pl.col(*ours, *plain).list.first())
                beside = table.slice(at, len(batch))
                if not np.array_equal(frame[EXAMPLE_ID].to_numpy(), beside["example_id"].to_numpy()):
                    raise _out_of_step(raw_path, transformed_path)
                yield frame, beside
                at += len(batch)


def tasks_of(transformed: pa.Table) -> list[str]:
    """The tasks of the columns `labels` and `weights`, in their order."""
    tasks: list[str] = json.loads(transformed.schema.metadata[b"tasks"])
    return tasks


def _stem(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]


def _out_of_step(raw_path: str, transformed_path: str) -> ValueError:
    return ValueError(f"{raw_path} and {transformed_path} do not hold the same examples in the same order")
