"""Predictions of a model, batch by batch: the candidate's, and an older model's on the raw examples.

An older model has its own vocabularies, so it cannot use the packed columns of the current transform graph. Its
`serving_default` takes raw columns and contains its own transform graph, as in production.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from components.columnar.ordered_map import ordered_map
from components.evaluation.reading import rows_of
from components.example_schema import ARROW_TYPES
from components.storage.reading import open_parquet

Batch = TypeVar("Batch")
BATCH_ROWS = 8192


def predict_batches(
    predict: Callable[[Batch], Mapping[str, NDArray[Any]]], batches: Iterable[Batch], rows: int
) -> dict[str, NDArray[np.float32]]:
    """The predictions of all batches, in their order. Only a few batches are in memory at once.

    Args:
        predict: a batch -> task -> (batch,) or (batch, 1).
        batches: batches, read on demand.
        rows: total number of rows.

    Returns:
        task -> (rows,).

    Raises:
        ValueError: the batches have a different number of rows.
    """
    found: dict[str, NDArray[np.float32]] = {}
    end = 0
    # In parallel: TensorFlow releases Python's lock while it computes, and its own threads idle between operations.
    for answers in ordered_map(predict, batches):
        start, end = end, end + len(next(iter(answers.values())))
        if end > rows:
            break
        for task, values in answers.items():
            if task not in found:
                found[task] = np.empty(rows, np.float32)
            found[task][start:end] = np.asarray(values).reshape(-1)
    if end != rows:
        raise ValueError(f"expected {rows} predictions; received {'more' if end > rows else end}")
    return found


class NotComparable(Exception):
    """The baseline cannot predict these examples; the message gives the reason."""


def shared_columns(inputs: Mapping[str, Mapping[str, Any]], schema: pa.Schema) -> list[str]:
    """The columns that the baseline reads. All of them must still exist with the same type.

    Args:
        inputs: the baseline's inputs: column -> {"type": "bytes" | "int" | "float", ...}.
        schema: schema of the raw examples.

    Raises:
        NotComparable: a column is missing or has another type, so a comparison would not be fair.
    """
    missing = sorted(name for name in inputs if name not in schema.names)
    if missing:
        raise NotComparable(f"the baseline reads columns that the examples no longer have: {', '.join(missing)}")
    for name, about in inputs.items():
        received = schema.field(name).type.value_type
        if received != ARROW_TYPES[about["type"]]:
            raise NotComparable(f"the baseline reads column {name!r} as {about['type']}; now it is {received}")
    return list(inputs)


def predict_raw(
    serve: Callable[[list[bytes]], Mapping[str, NDArray[Any]]],
    encode: Callable[[pa.RecordBatch], list[bytes]],
    inputs: Mapping[str, Mapping[str, Any]],
    files: Sequence[str],
    batch_rows: int = BATCH_ROWS,
) -> dict[str, NDArray[np.float32]]:
    """The model's predictions for all rows of the Parquet files, in their order.

    Args:
        serve: serialized tf.Examples -> task -> (batch,).
        encode: record batch -> serialized tf.Examples.
        inputs: the model's inputs: column -> {"type", ...}.
        files: Parquet files of examples.
        batch_rows: examples per call.

    Raises:
        NotComparable: see `shared_columns`.
    """

    def batches() -> Iterator[pa.RecordBatch]:
        for path in files:
            with open_parquet(path) as parquet:
                columns = shared_columns(inputs, parquet.schema_arrow)
                yield from parquet.iter_batches(batch_size=batch_rows, columns=columns)

    rows = sum(rows_of(path) for path in files)
    return predict_batches(lambda batch: serve(encode(batch)), batches(), rows)
