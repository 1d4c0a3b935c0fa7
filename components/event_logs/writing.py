"""Examples as the Parquet files that the stock TFX parts read: every column a list, a missing value an empty one."""

from __future__ import annotations

import os
from collections.abc import Iterable

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from components.event_logs.events import EVENT_ID, TIME
from components.event_logs.plan import EventLogsPlan
from components.event_logs.tally import Tally
from components.raw_types import ARROW_TYPES

EXAMPLE_ID = "gatewise/example_id"
SPLITS = ("train", "eval")
_ROW_GROUP = 1 << 16


def schema(plan: EventLogsPlan) -> dict[str, str]:
    """{column of the examples: bytes, int or float}, in the order of the files."""
    columns: dict[str, str] = {column.name: column.type for column in plan.columns}
    for task in plan.tasks:
        columns[f"label/{task.name}"] = "float"
        columns[f"weight/{task.name}"] = "float"
    columns[EXAMPLE_ID] = "int"
    makers = [stream for stream in plan.streams if plan.makes_examples(stream)]
    if any(stream.time for stream in makers):
        columns[TIME] = "int"
    if any(stream.event_id for stream in makers):
        columns[EVENT_ID] = "bytes"
    return columns


def to_lists(examples: pl.DataFrame, types: dict[str, str]) -> pa.Table:
    """The examples with every column as `large_list<large_binary | int64 | float32>`, no null anywhere."""
    arrays = {name: _to_list(examples[name], ARROW_TYPES[type]) for name, type in types.items()}
    return pa.table(arrays)


def write_splits(
    examples: pl.DataFrame, evaluates: np.ndarray, types: dict[str, str], folder: str, number: int, of: int
) -> Iterable[tuple[str, pl.DataFrame]]:
    """Writes file `number` of `of` of each split, sorted by example id; a split without rows here gets no file.

    Yields:
        (split, its examples), after its file stands under its final name.
    """
    ordered = examples.with_columns(pl.Series("gatewise/eval", evaluates)).sort(EXAMPLE_ID)
    for split in SPLITS:
        part = ordered.filter(pl.col("gatewise/eval") == (split == "eval")).drop("gatewise/eval")
        if part.height == 0:
            continue
        target = os.path.join(folder, f"Split-{split}")
        os.makedirs(target, exist_ok=True)
        path = os.path.join(target, f"examples-{number:05d}-of-{of:05d}.parquet")
        temporary = os.path.join(folder, f".{split}-{number}.tmp")
        pq.write_table(to_lists(part, types), temporary, row_group_size=_ROW_GROUP, use_dictionary=False)
        os.replace(temporary, path)
        yield split, part


def count_labels(part: pl.DataFrame, split: str, plan: EventLogsPlan, tally: Tally) -> None:
    """Adds a split's examples, and each task's observed and positive ones, to the tally."""
    tally.add(part.height, "examples", split)
    for task in plan.tasks:
        label, weight = part[f"label/{task.name}"], part[f"weight/{task.name}"]
        tally.add(int((weight > 0).sum()), "task", task.name, split, "observed")
        tally.add(int((label > 0).sum()), "task", task.name, split, "positives")


def _to_list(column: pl.Series, values: pa.DataType) -> pa.LargeListArray:
    if isinstance(column.dtype, pl.List):
        counts = column.list.len().fill_null(0).to_numpy()
        flat = column.drop_nulls().explode(empty_as_null=False, keep_nulls=False)
    else:
        counts = column.is_not_null().to_numpy()
        flat = column.drop_nulls()
    offsets = np.zeros(len(column) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    array = flat.to_arrow(compat_level=pl.CompatLevel.oldest())
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    return pa.LargeListArray.from_arrays(pa.array(offsets), array.cast(values))
