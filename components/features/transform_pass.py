"""The second pass, in Beam: every file of raw examples goes through the written TransformGraph into one Arrow file.

Create(jobs) -> Reshuffle -> TransformFile
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import tensorflow as tf
import tensorflow_transform as tft
from apache_beam.io.filesystems import FileSystems
from tfx.dsl.io import fileio

from components.features.columns import coordinates, lengths, numpy_values, one_of_each, raw_names
from components.features.plan import FeaturesPlan
from models.encoding import ENCODING_FILE, Encoding
from models.preprocessing import pack, raw_feature_spec

# A file of raw examples, and the file of transformed ones that it becomes.
Job = tuple[str, str]

BATCH_ROWS = 65_536
# Rows of one record batch in the file: training maps a batch as it lies on the disk, so mostly a file is one batch.
FILE_BATCH_ROWS = 1_048_576

Transform = Callable[[pa.RecordBatch], dict[str, np.ndarray]]


class TransformPass(beam.PTransform):
    """Transforms files, each by itself; one leaf.

    Args:
        jobs: (raw file, transformed file).
        plan: the features and tasks.
        folder: of the TransformGraph.
    """

    def __init__(self, jobs: Sequence[Job], plan: FeaturesPlan, folder: str) -> None:
        super().__init__()
        self._jobs, self._plan, self._folder = list(jobs), plan, folder

    def expand(self, pipeline: beam.Pipeline) -> Any:
        return (
            pipeline
            | "Jobs" >> beam.Create(self._jobs).with_output_types(tuple[str, str])
            | "Spread" >> beam.Reshuffle()
            | "TransformFile" >> beam.Map(_transform_file, plan=self._plan.model_dump_json(), folder=self._folder)
        )


def _transform_file(job: Job, plan: str, folder: str) -> str:
    source, destination = job
    # A worker process loads the graph once, not for each file.
    transform = load_transform(folder, plan)
    parts = FeaturesPlan.model_validate_json(plan)
    temporary = f"{destination}.partial"
    with FileSystems.open(source) as raw, FileSystems.create(temporary) as file:
        write_file(pq.ParquetFile(raw), file, transform, parts)
    fileio.rename(temporary, destination, overwrite=True)
    return destination


@functools.lru_cache(maxsize=1)
def load_transform(folder: str, plan: str) -> Transform:
    """The saved graph of a TransformGraph, and `pack`, as a function of record batches of raw examples."""
    features = FeaturesPlan.model_validate_json(plan).features
    with fileio.open(os.path.join(folder, ENCODING_FILE), "r") as file:
        encoding = Encoding.from_json(file.read())
    saved = tf.saved_model.load(tft.TFTransformOutput(folder).transform_savedmodel_dir)
    spec = raw_feature_spec(features)

    @tf.function(
        input_signature=[{name: tf.SparseTensorSpec((None, None), about.dtype) for name, about in spec.items()}]
    )
    def graph(columns: dict[str, tf.SparseTensor]) -> dict[str, tf.Tensor]:
        return pack(saved.transform_fn(columns), encoding)

    def transform(batch: pa.RecordBatch) -> dict[str, np.ndarray]:
        # Most columns have one value in every row: they share the values' coordinates.
        ones = tf.constant(coordinates(np.ones(batch.num_rows, np.int64)))
        columns = {name: _sparse(batch.column(name), about.dtype, ones) for name, about in spec.items()}
        return {name: values.numpy() for name, values in graph(columns).items()}

    return transform


def _sparse(column: pa.Array, dtype: tf.DType, ones: tf.Tensor) -> tf.SparseTensor:
    counts = lengths(column)
    indices = ones if (counts == 1).all() else tf.constant(coordinates(counts))
    values = tf.constant(numpy_values(column), dtype=dtype)
    return tf.SparseTensor(indices, values, (len(counts), max(int(counts.max(initial=0)), 1)))


def write_file(raw: pq.ParquetFile, file: Any, transform: Transform, plan: FeaturesPlan) -> None:
    """Writes one file of transformed examples: the rows of the raw file, in its order."""
    parts = transformed_batches(raw, transform, plan)
    first = next(parts)
    with pa.ipc.new_file(file, first.schema) as writer:
        waiting, rows = [first], first.num_rows
        for part in parts:
            if rows + part.num_rows > FILE_BATCH_ROWS:
                writer.write_batch(_one(waiting))
                waiting, rows = [], 0
            waiting.append(part)
            rows += part.num_rows
        writer.write_batch(_one(waiting))


def _one(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    arrays = [pa.concat_arrays([batch.column(i) for batch in batches]) for i in range(batches[0].num_columns)]
    return pa.RecordBatch.from_arrays(arrays, schema=batches[0].schema)


def transformed_batches(raw: pq.ParquetFile, transform: Transform, plan: FeaturesPlan) -> Iterator[pa.RecordBatch]:
    """The transformed rows of one file, batch by batch; one empty batch for an empty file."""
    labels = [f"label/{task}" for task in plan.tasks]
    weights = [f"weight/{task}" for task in plan.tasks]
    columns = [*dict.fromkeys([*raw_names(plan.features), *labels, *weights, "gatewise/example_id"])]
    if raw.metadata.num_rows:
        batches = raw.iter_batches(BATCH_ROWS, columns=columns)
    else:
        none = [pa.array([], raw.schema_arrow.field(name).type) for name in columns]
        batches = iter([pa.RecordBatch.from_arrays(none, names=columns)])
    for batch in batches:
        yield layout(batch, transform(batch), labels, weights, plan.tasks)


def layout(
    batch: pa.RecordBatch,
    packed: dict[str, np.ndarray],
    labels: Sequence[str],
    weights: Sequence[str],
    tasks: Sequence[str],
) -> pa.RecordBatch:
    """The packed columns with labels, weights and example id of the raw batch, as the file has them.

    Columns of several numbers are lists of a fixed size, which lie in the file as a matrix (row, number).
    """
    columns = {
        **{name: _matrix(values) for name, values in packed.items()},
        "labels": _matrix(one_of_each(batch, labels)),
        "weights": _matrix(one_of_each(batch, weights)),
        "example_id": pa.array(_ids(batch.column("gatewise/example_id"))),
    }
    fields = [pa.field(name, array.type, nullable=False) for name, array in columns.items()]
    schema = pa.schema(fields, metadata={b"tasks": json.dumps(list(tasks)).encode()})
    return pa.RecordBatch.from_arrays(list(columns.values()), schema=schema)


def _matrix(values: np.ndarray) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(values).reshape(-1)), values.shape[1])


def _ids(column: pa.Array) -> np.ndarray:
    if not (lengths(column) == 1).all():
        raise ValueError("the column 'gatewise/example_id' must have exactly one value in every row")
    return numpy_values(column)
