"""Writes examples as Parquet files that the stock TFX components read: each column is a list, a missing value an empty list."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from components.columnar.lists import taken_apart, to_arrow
from components.event_logs.domains import count_outside
from components.event_logs.events import WEIGHT
from components.event_logs.plan import EventLogsPlan
from components.event_logs.tally import Tally
from components.example_schema import ARROW_TYPES, EVENT_ID, EXAMPLE_ID, SPLITS, TIME, label_of, weight_of
from components.storage.writing import whole_file
from models.recipe.checks.served_names import OWN

POSITION = f"{OWN}position"
"""Column with the row of an example's features."""
_ROW_GROUP = 1 << 17


def unweighted(task: str) -> str:
    """The column that marks the examples with a label of the task but a weight of 0."""
    return f"{OWN}unweighted/{task}"


def schema(plan: EventLogsPlan) -> dict[str, str]:
    """{column of the examples: bytes, int or float}, in the order of the files."""
    columns: dict[str, str] = {column.name: column.type for column in plan.columns}
    for task in plan.tasks:
        columns[label_of(task.name)] = "float"
        columns[weight_of(task.name)] = "float"
    columns[EXAMPLE_ID] = "int"
    makers = [stream for stream in plan.streams if plan.makes_examples(stream)]
    if any(stream.time for stream in makers):
        columns[TIME] = "int"
    if any(stream.event_id for stream in makers):
        columns[EVENT_ID] = "bytes"
    return columns


def list_schema(types: dict[str, str]) -> pa.Schema:
    """The Arrow schema of `to_lists`."""
    return pa.schema([(name, pa.large_list(ARROW_TYPES[type])) for name, type in types.items()])


def separators(plan: EventLogsPlan) -> dict[str, str | None]:
    """{multivalued text column: its separator, None if a text is one value}."""
    return {column.name: column.separator for column in plan.columns if column.multivalued and column.type == "bytes"}


def to_lists(examples: pl.DataFrame, types: dict[str, str], separators: Mapping[str, str | None]) -> pa.Table:
    """The examples with every column as `large_list<large_binary | int64 | float32>`, without nulls."""
    arrays = [_to_list(examples[name], ARROW_TYPES[type], separators.get(name)) for name, type in types.items()]
    return pa.Table.from_arrays(arrays, schema=list_schema(types))


def write_splits(
    features: pl.DataFrame, labels: pl.DataFrame, chosen: np.ndarray, plan: EventLogsPlan, folder: str, file: str
) -> Iterable[tuple[str, pl.DataFrame]]:
    """Writes one file per split, one row group at a time. A split without rows here gets no file.

    Args:
        features: feature columns, with rows in any order.
        labels: one row per example, in the order of the file: `POSITION` of its features, and the other columns.
        chosen: (examples,) uint8: place of the example's split in SPLITS; other numbers are not written.
        plan: plan of the stage; the columns of the files are those of `schema`.
        folder: parent folder of Split-train, Split-validate and Split-eval.
        file: name of the file in each folder.

    Yields:
        (split, its rows of `labels`), after its file has its final name.
    """
    for number, split in enumerate(SPLITS):
        part = labels.filter(pl.Series(chosen == number))
        if part.height == 0:
            continue
        with whole_file(os.path.join(folder, f"Split-{split}", file)) as temporary:
            _write_file(features, part, plan, temporary)
        yield split, part


def _write_file(features: pl.DataFrame, labels: pl.DataFrame, plan: EventLogsPlan, path: str) -> None:
    types, apart = schema(plan), separators(plan)
    wide = features.select(name for name in types if name not in labels.columns)
    options = {
        # The items of lists repeat: a dictionary costs no time here and makes reading faster.
        "use_dictionary": [f"{name}.list.element" for name in apart],
        "compression": "snappy",
        # No reader uses the columns' minima and maxima, and computing them takes a fifth of the time.
        "write_statistics": False,
    }
    with pq.ParquetWriter(path, list_schema(types), **options) as writer:
        for part in labels.iter_slices(_ROW_GROUP):
            rows = wide[part[POSITION]].hstack(part.drop(POSITION))
            writer.write_table(to_lists(rows, types, apart), _ROW_GROUP)


def count_labels(part: pl.DataFrame, split: str, plan: EventLogsPlan, tally: Tally) -> None:
    """Adds a split's examples, those of weight 0, and the observed, positive and unweighted examples of each task, to the tally."""
    tally.add(part.height, "examples", split)
    if WEIGHT in part.columns:
        tally.add(int((part[WEIGHT] == 0).sum()), "zero weight", split)
    for task in plan.tasks:
        label, weight = part[label_of(task.name)], part[weight_of(task.name)]
        tally.add(int((weight > 0).sum()), "task", task.name, split, "observed")
        tally.add(int((label > 0).sum()), "task", task.name, split, "positives")
        if unweighted(task.name) in part.columns:
            tally.add(int(part[unweighted(task.name)].sum()), "task", task.name, split, "unweighted")
        if task.domain is not None:
            count_outside(part, task, task.domain, tally)


def _to_list(column: pl.Series, values: pa.DataType, separator: str | None) -> pa.LargeListArray:
    # Arrow stores missing lists as empty lists, which is the wanted result.
    held = to_arrow(column) if isinstance(column.dtype, pl.List) else taken_apart(column, separator)
    return pa.LargeListArray.from_arrays(held.offsets, held.values.cast(values))
