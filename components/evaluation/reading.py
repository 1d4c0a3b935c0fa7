"""The eval split from its two sides, in step: the raw Parquet and the transformed Arrow files, file i beside file i."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from components.evaluation.report import EvalExamples
from components.evaluation.slices import Coded
from models.errors import InputError

EXAMPLE_ID, EVENT_ID = "gatewise/example_id", "gatewise/event_id"
# Columns of the transformed files that are no inputs of the model.
NOT_PACKED = ("labels", "weights", "example_id")
BATCH_ROWS = 16_384


def read_examples(
    raw: Sequence[str], transformed: Sequence[str], columns: Sequence[str], event_id: bool = False
) -> EvalExamples:
    """Labels, weights and the named raw columns of all files, in the order of the files.

    Args:
        raw: the split's Parquet files, sorted.
        transformed: the split's Arrow files, sorted: the same examples in the same order.
        columns: raw columns of slices and groups.
        event_id: whether the event ids are needed, too.

    Raises:
        InputError: a column has several values in an example; or the event ids are not there.
        ValueError: the two sides are not the same examples.
    """
    if len(raw) != len(transformed):
        raise ValueError(f"expected as many raw as transformed files; received {len(raw)} and {len(transformed)}")
    tasks: list[str] = []
    labels, weights = [], []
    found: dict[str, list[pa.Array]] = {name: [] for name in (*columns, *([EVENT_ID] if event_id else []))}
    for raw_path, transformed_path in zip(raw, transformed, strict=True):
        with pa.memory_map(transformed_path) as file:
            table = pa.ipc.open_file(file).read_all()
        tasks = json.loads(table.schema.metadata[b"tasks"])
        labels.append(matrix(table["labels"]))
        weights.append(matrix(table["weights"]))
        available = pq.read_schema(raw_path).names
        if event_id and EVENT_ID not in available:
            raise InputError(
                "evaluation.truth is joined by the impression's event id, which the examples do not have: name the column "
                "in the impression stream's `event_id`."
            )
        raw_table = pq.read_table(raw_path, columns=[EXAMPLE_ID, *found], use_threads=False)
        _check_same(single(raw_table[EXAMPLE_ID], EXAMPLE_ID), table["example_id"], raw_path, transformed_path)
        for name in found:
            found[name].append(single(raw_table[name], name))
    all_labels, all_weights = np.concatenate(labels), np.concatenate(weights)
    return EvalExamples(
        labels={task: all_labels[:, index] for index, task in enumerate(tasks)},
        weights={task: all_weights[:, index] for index, task in enumerate(tasks)},
        columns={name: code(found[name]) for name in columns},
        event_ids=pa.chunked_array(found[EVENT_ID]) if event_id else None,
    )


def packed_batches(path: str, rows: int = BATCH_ROWS) -> Iterator[dict[str, NDArray[Any]]]:
    """The model's inputs of a transformed file: {packed column: (batch, width)}, as views of the mapped file."""
    with pa.memory_map(path) as file:
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


def single(column: pa.ChunkedArray, name: str) -> pa.Array:
    """A list column of one value or none as a plain column, null where missing.

    Raises:
        InputError: an example has several values.
    """
    column = column.combine_chunks()
    if isinstance(column, pa.ChunkedArray):  # of a file without rows
        column = pa.array([], column.type)
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    if (lengths > 1).any():
        raise InputError(
            f"evaluation: column {name!r} has up to {lengths.max()} values in one example; slices and groups need columns "
            "with one value."
        )
    there = lengths > 0
    values = pc.list_flatten(column)
    if there.all():
        return values
    return values.take(pa.array(np.cumsum(there) - 1, mask=~there))


def code(parts: Sequence[pa.Array]) -> Coded:
    """A column's values as codes, over all files."""
    encoded = pc.dictionary_encode(pa.chunked_array(parts)).unify_dictionaries().combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        return Coded(codes=np.zeros(0, np.int64), values=())
    codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    return Coded(codes=codes, values=tuple(_words(value) for value in encoded.dictionary.to_pylist()))


def _words(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="backslashreplace")
    return str(np.float32(value)) if isinstance(value, float) else str(value)


def _check_same(raw: pa.Array, transformed: pa.ChunkedArray, raw_path: str, transformed_path: str) -> None:
    if len(raw) != len(transformed) or not np.array_equal(raw.to_numpy(), transformed.to_numpy()):
        raise ValueError(f"{raw_path} and {transformed_path} do not hold the same examples in the same order")


def check_tasks(examples: EvalExamples, tasks: Mapping[str, Any]) -> None:
    """Refuses examples without the plan's tasks.

    Raises:
        ValueError: a task has no labels.
    """
    missing = [task for task in tasks if task not in examples.labels]
    if missing:
        raise ValueError(f"the examples have no labels of {missing}; they have those of {list(examples.labels)}")
