"""Reads the eval split from the raw Parquet and the transformed Arrow files in parallel, file by file.

From the train split it reads only the mean labels: the constant that a model has to beat.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from components.evaluation.coding import Coder
from components.evaluation.report import EvalExamples
from components.example_schema import EVENT_ID, EXAMPLE_ID
from components.storage.reading import open_file, open_parquet
from models.features.groups import GROUP
from models.recipe.errors import InputError

# Columns of the transformed files that are not inputs of the model.
NOT_PACKED = ("labels", "weights", "example_id", GROUP)
BATCH_ROWS = 16_384
READ_ROWS = 1 << 19


def read_examples(
    raw: Sequence[str], transformed: Sequence[str], columns: Sequence[str], event_id: bool = False
) -> EvalExamples:
    """Labels, weights and the named raw columns of all files, in the order of the files.

    An example takes 8 bytes per task and up to 4 bytes per column. A file is memory-mapped while it is read.

    Args:
        raw: the split's Parquet files, sorted.
        transformed: the split's Arrow files, sorted: the same examples in the same order.
        columns: raw columns of slices and groups.
        event_id: whether the event ids are needed, too.

    Raises:
        InputError: a column has several values in an example, or the event ids are missing.
        ValueError: the raw and the transformed examples differ.
    """
    if len(raw) != len(transformed):
        raise ValueError(f"expected as many raw as transformed files; received {len(raw)} and {len(transformed)}")
    rows = sum(rows_of(path) for path in raw)
    names = [EXAMPLE_ID, *columns, *([EVENT_ID] if event_id else [])]
    coders = {name: Coder(rows) for name in columns}
    event_ids: list[pa.Array] = []
    tasks: list[str] = []
    labels = weights = np.zeros((0, 0), np.float32)
    end = 0
    for raw_path, transformed_path in zip(raw, transformed, strict=True):
        with open_file(transformed_path, mapped=True) as file, open_parquet(raw_path) as parquet:
            table = pa.ipc.open_file(file).read_all()
            if len(table) != parquet.metadata.num_rows:
                raise _out_of_step(raw_path, transformed_path)
            if not tasks:
                tasks = json.loads(table.schema.metadata[b"tasks"])
                labels, weights = np.empty((2, len(tasks), rows), np.float32)
            if event_id and EVENT_ID not in parquet.schema_arrow.names:
                raise InputError(
                    "evaluation.truth is joined by the impression's event id, which the examples do not have. Set "
                    "`event_id` in the impression stream."
                )
            start, at = end, 0
            end += len(table)
            for batch in parquet.iter_batches(batch_size=READ_ROWS, columns=names, use_threads=False):
                beside = table.slice(at, len(batch))
                if not np.array_equal(single(batch[EXAMPLE_ID], EXAMPLE_ID), beside["example_id"]):
                    raise _out_of_step(raw_path, transformed_path)
                labels[:, start + at : start + at + len(batch)] = matrix(beside["labels"]).T
                weights[:, start + at : start + at + len(batch)] = matrix(beside["weights"]).T
                for name, coder in coders.items():
                    coder.add(single(batch[name], name))
                if event_id:
                    event_ids.append(single(batch[EVENT_ID], EVENT_ID))
                at += len(batch)
    return EvalExamples(
        labels=dict(zip(tasks, labels, strict=True)),
        weights=dict(zip(tasks, weights, strict=True)),
        columns={name: coder.finish() for name, coder in coders.items()},
        event_ids=pa.chunked_array(event_ids, pa.large_binary() if not event_ids else None) if event_id else None,
    )


def rows_of(path: str) -> int:
    """The number of rows of a Parquet file."""
    with open_parquet(path) as parquet:
        return parquet.metadata.num_rows


def packed_batches(path: str, rows: int = BATCH_ROWS) -> Iterator[dict[str, NDArray[Any]]]:
    """The model's inputs of a transformed file: {packed column: (batch, width)}, as views of the mapped file."""
    with open_file(path, mapped=True) as file:
        reader = pa.ipc.open_file(file)
        for index in range(reader.num_record_batches):
            whole = reader.get_batch(index)
            for start in range(0, whole.num_rows, rows):
                batch = whole.slice(start, rows)
                names = [name for name in batch.schema.names if name not in NOT_PACKED]
                yield {name: matrix(batch.column(name)) for name in names}


def matrix(column: pa.Array | pa.ChunkedArray) -> NDArray[Any]:
    """A FixedSizeList column as (rows, width)."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    width = column.type.list_size
    parts = [chunk.flatten().to_numpy(zero_copy_only=False).reshape(len(chunk), width) for chunk in chunks]
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts) if parts else np.zeros((0, width), column.type.value_type.to_pandas_dtype())


def single(column: pa.Array, name: str) -> pa.Array:
    """A list column with at most one value per row as a plain column, null for an empty list.

    Raises:
        InputError: an example has several values.
    """
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    if (lengths > 1).any():
        raise InputError(
            f"evaluation: column {name!r} has up to {lengths.max()} values in one example; columns of slices and groups must "
            "have one value."
        )
    there = lengths > 0
    values = pc.list_flatten(column)
    if there.all():
        return values
    return values.take(pa.array(np.cumsum(there) - 1, mask=~there))


def _out_of_step(raw_path: str, transformed_path: str) -> ValueError:
    return ValueError(f"{raw_path} and {transformed_path} do not hold the same examples in the same order")


def check_tasks(examples: EvalExamples, tasks: Mapping[str, Any]) -> None:
    """Refuses examples without the plan's tasks.

    Raises:
        ValueError: a task has no labels.
    """
    missing = [task for task in tasks if task not in examples.labels]
    if missing:
        raise ValueError(f"the examples have no labels of {missing}; they have those of {list(examples.labels)}")


def train_means(transformed: Sequence[str]) -> dict[str, float]:
    """sum w y / sum w of every task that is observed in the files. For a binary task it is the share of positives.

    Reads only labels and weights, a few batches at a time.

    Args:
        transformed: the train split's Arrow files, sorted.
    """
    total: NDArray[np.float64] | None = None
    tasks: list[str] = []
    for path in transformed:
        with open_file(path, mapped=True) as file:
            schema = pa.ipc.open_file(file).schema
            tasks = json.loads(schema.metadata[b"tasks"])
            fields = [schema.get_field_index(name) for name in ("labels", "weights")]
            reader = pa.ipc.open_file(file, options=pa.ipc.IpcReadOptions(included_fields=fields))
            for index in range(reader.num_record_batches):
                batch = reader.get_batch(index)
                weights = matrix(batch["weights"]).astype(np.float64)
                # A label that is not observed is arbitrary.
                labels = np.where(weights > 0, matrix(batch["labels"]), 0.0)
                added = np.stack([(weights * labels).sum(axis=0), weights.sum(axis=0)])
                total = added if total is None else total + added
    if total is None:
        return {}
    return {task: float(y / w) for task, y, w in zip(tasks, *total, strict=True) if w > 0}
