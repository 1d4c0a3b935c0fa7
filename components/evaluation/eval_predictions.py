"""The candidate's predictions for the eval split, as Parquet files beside the metrics: one for each file of raw examples.

A row is an example, in the order of the examples' file, which is by example id. Columns: the example id; the group key and the
slices' columns as text, null if missing; for each task `label/TASK`, `weight/TASK` (0 if not observed) and `prediction/TASK`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from components.evaluation.reading import READ_ROWS, single
from components.evaluation.report import EvalExamples
from components.evaluation.slices import Coded
from components.example_schema import EXAMPLE_ID, label_of, weight_of
from components.storage.reading import open_parquet
from components.storage.writing import whole_file

FOLDER = "predictions"
PREDICTION = "prediction/"


def prediction_of(task: str) -> str:
    """The column of a task's predictions."""
    return PREDICTION + task


def write_predictions(
    folder: str,
    raw: Sequence[str],
    examples: EvalExamples,
    tasks: Sequence[str],
    predictions: Mapping[str, NDArray[Any]],
    rows: int = READ_ROWS,
) -> None:
    """Writes `predictions/*.parquet` (zstd), so many rows at a time.

    Args:
        folder: folder of the ModelEvaluation artifact.
        raw: the split's Parquet files, in the order of `examples`.
        examples: the eval split.
        tasks: the tasks to write.
        predictions: task -> (n,).
        rows: rows of a row group.
    """
    start = 0
    for number, path in enumerate(raw):
        name = f"predictions-{number:05d}-of-{len(raw):05d}.parquet"
        with (
            open_parquet(path) as parquet,
            whole_file(os.path.join(folder, FOLDER, name)) as temporary,
            pq.ParquetWriter(temporary, _schema(examples, tasks), compression="zstd") as writer,
        ):
            for batch in parquet.iter_batches(batch_size=rows, columns=[EXAMPLE_ID], use_threads=False):
                part = slice(start, start + len(batch))
                start += len(batch)
                columns = [single(batch[EXAMPLE_ID], EXAMPLE_ID)]
                columns += [_texts(column, part) for column in examples.columns.values()]
                for task in tasks:
                    for values in (examples.labels, examples.weights, predictions):
                        columns.append(pa.array(values[task][part].astype(np.float32, copy=False)))
                writer.write_batch(pa.record_batch(columns, schema=writer.schema))


def _schema(examples: EvalExamples, tasks: Sequence[str]) -> pa.Schema:
    numbers = [of(task) for task in tasks for of in (label_of, weight_of, prediction_of)]
    return pa.schema(
        [
            (EXAMPLE_ID, pa.int64()),
            *((name, pa.dictionary(pa.int32(), pa.string())) for name in examples.columns),
            *((name, pa.float32()) for name in numbers),
        ]
    )


def _texts(column: Coded, part: slice) -> pa.Array:
    """Some rows of a column, with the values that they have."""
    codes, places = np.unique(column.codes[part], return_inverse=True)
    values = pa.array([None if code < 0 else column.values[code] for code in codes.tolist()], pa.string())
    missing = codes[places] < 0
    # The smallest code is that of a missing value.
    shift = int(len(codes) > 0 and codes[0] < 0)
    indices = pa.array(np.maximum(places - shift, 0).astype(np.int32), mask=missing)
    return pa.DictionaryArray.from_arrays(indices, values[shift:])
