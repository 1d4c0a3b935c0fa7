"""The examples of a run as plain Parquet: one value in each cell, texts as texts, times as times."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.example_schema import SPLITS, TIME
from models.recipe.errors import InputError
from pipeline.run_paths import run_paths_in

if TYPE_CHECKING:
    import polars as pl

    from pipeline.run_records import Record

PREDICTIONS = "predictions"
LISTS = ("multivalued", "vector")
"""Kinds of features whose columns have lists."""


def list_columns(resolved: Mapping[str, Any]) -> set[str]:
    """The columns of lists of a run.

    Args:
        resolved: the recipe in the run's record.
    """
    return {about.get("column") or name for name, about in resolved["features"].items() if about["kind"] in LISTS}


def plain(examples: pl.LazyFrame, lists: Collection[str]) -> pl.LazyFrame:
    """Examples, whose columns are lists of at most one value, with one value in each row.

    An empty list becomes a missing value. Bytes become text, if all of a column's are UTF-8. The time becomes a time in UTC.

    Args:
        examples: columns of lists, or of single values.
        lists: columns that stay lists.
    """
    import polars as pl

    columns, texts = [], []
    for name, dtype in examples.collect_schema().items():
        column = pl.col(name)
        if isinstance(dtype, pl.List) and name not in lists:
            column = column.list.first()
        if (dtype.inner if isinstance(dtype, pl.List) else dtype) == pl.Binary:
            texts.append(name)
        if name == TIME:
            column = pl.from_epoch(column, time_unit="us").dt.replace_time_zone("UTC")
        columns.append(column.alias(name))
    single = examples.select(columns)
    return single.with_columns(_as_text(name, single) for name in _readable(single, texts))


def _as_text(name: str, examples: pl.LazyFrame) -> pl.Expr:
    import polars as pl

    many = isinstance(examples.collect_schema()[name], pl.List)
    return pl.col(name).cast(pl.List(pl.String) if many else pl.String)


def _readable(examples: pl.LazyFrame, names: Sequence[str]) -> list[str]:
    """Those of the columns of bytes in which all values are UTF-8."""
    import polars as pl

    found = []
    for name in names:
        try:
            examples.select(_as_text(name, examples).is_null().sum()).collect(engine="streaming")
        except pl.exceptions.ComputeError:
            continue
        found.append(name)
    return found


def write_plain(record: Record, folder: Path, splits: Sequence[str] = SPLITS) -> dict[str, int]:
    """Writes SPLIT.parquet for each split, and predictions.parquet with the eval predictions if there are any.

    Each file appears by a rename. Memory does not grow with the number of rows.

    Args:
        record: the record of the run.
        folder: where to write; made if it is missing.
        splits: the splits.

    Returns:
        {name of the file: number of rows}.

    Raises:
        InputError: the run has no examples, or a file cannot be written.
    """
    import polars as pl

    from pipeline.lineage import read_run

    examples = read_run(run_paths_in(Path(record["home"])), record["id"]).artifacts.get("EventLogs.examples")
    sources = {split: sorted((examples or Path()).glob(f"Split-{split}/*.parquet")) for split in splits}
    if examples is None or not any(sources.values()):
        raise InputError(
            f"run {record['id']}: has no examples. Its artifacts may have been removed; run the recipe again, or name another run "
            "with --run."
        )
    sources[PREDICTIONS] = sorted(Path(record.get("predictions") or "/nonexistent").glob("*.parquet"))
    lists, found = list_columns(record["resolved"]), {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, files in sources.items():
            if not files:
                continue
            target = folder / f"{name}.parquet"
            unfinished = target.with_name(f".{target.name}.tmp")
            plain(pl.scan_parquet(files, glob=False), lists).sink_parquet(unfinished)
            os.replace(unfinished, target)
            found[target.name] = pl.scan_parquet(target).select(pl.len()).collect().item()
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror or error}). Choose another folder.") from None
    return found
