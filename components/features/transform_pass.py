"""The second pass, in Beam: transforms every file of raw examples with the TransformGraph to one Arrow file.

Create(jobs) -> Reshuffle -> TransformFile
"""

from __future__ import annotations

import functools
import itertools
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

from components.columnar.ordered_map import ordered_map
from components.example_schema import EXAMPLE_ID, label_of, weight_of
from components.features.columns import distinct_values, lengths, one_of_each, raw_names, rows_of
from components.features.group_column import group_hashes
from components.features.plan import FeaturesPlan
from components.storage.reading import LocalCopy, open_parquet, read_text
from components.storage.writing import whole_file
from models.features.groups import GROUP
from models.features.layout import ANALYSED_FILE, LAYOUT_FILE, Analysed, FeatureLayout
from models.features.preprocessing import encode_columns, pack, raw_feature_spec
from models.features.raw_columns import Column
from models.features.value_ids import load_vocabulary

# A file of raw examples, and the file of transformed ones that it becomes.
Job = tuple[str, str]

BATCH_ROWS = 65_536

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
    with open_parquet(source) as raw, whole_file(destination) as temporary, pa.OSFile(temporary, "wb") as file:
        write_file(raw, file, transform, parts)
    return destination


@functools.lru_cache(maxsize=1)
def load_transform(folder: str, plan: str) -> Transform:
    """What a TransformGraph does, and `pack`, as a function of record batches of raw examples.

    The graph is made of the same definition as the saved one, its constants and its vocabularies, but over dictionaries:
    a text is looked up, or hashed, once for each batch in which it occurs, and not once for each value.
    """
    features = FeaturesPlan.model_validate_json(plan).features
    layout = FeatureLayout.from_json(read_text(os.path.join(folder, LAYOUT_FILE)))
    analysed = Analysed.from_json(read_text(os.path.join(folder, ANALYSED_FILE)))
    # The vocabularies are read when the graph is traced, with the first batch: until then a copy of them must be there.
    saved = LocalCopy(os.path.join(folder, tft.TFTransformOutput.TRANSFORM_FN_DIR))
    tables: dict[str, tf.lookup.StaticHashTable] = {}
    spec = raw_feature_spec(features)

    def vocabulary(table: str, dtype: tf.DType) -> tf.lookup.StaticHashTable:
        if table not in tables:
            with tf.init_scope():
                tables[table] = load_vocabulary(os.path.join(saved.path, "assets"), table, dtype)
        return tables[table]

    # There is no Python control flow to translate, and the attempt takes seconds.
    @tf.function(
        input_signature=[{name: _signature(about.dtype) for name, about in spec.items()}, _BATCH], autograph=False
    )
    def graph(columns: dict[str, dict[str, tf.Tensor]], batch: tf.Tensor) -> dict[str, tf.Tensor]:
        given = {name: Column(**column) for name, column in columns.items()}
        return pack(encode_columns(features, analysed, given, batch, vocabulary), layout)

    def transform(batch: pa.RecordBatch) -> dict[str, np.ndarray]:
        # Most columns have one value in every row: they share the values' rows.
        ones = tf.range(batch.num_rows, dtype=tf.int64)
        columns = {name: _tensors(batch.column(name), about.dtype, ones) for name, about in spec.items()}
        outputs = graph(columns, tf.constant(batch.num_rows, tf.int64))
        return {name: values.numpy() for name, values in outputs.items()}

    return transform


_BATCH = tf.TensorSpec((), tf.int64)


def _tensors(column: pa.Array, dtype: tf.DType, ones: tf.Tensor) -> dict[str, tf.Tensor]:
    """The parts of a `Column`."""
    rows = rows_of(column)
    values, places = distinct_values(column)
    parts = {"rows": ones if rows is None else tf.constant(rows), "values": tf.constant(values, dtype=dtype)}
    return parts if places is None else {**parts, "places": tf.constant(places)}


def _signature(dtype: tf.DType) -> dict[str, tf.TensorSpec]:
    parts = {"rows": tf.TensorSpec((None,), tf.int64), "values": tf.TensorSpec((None,), dtype)}
    return {**parts, "places": tf.TensorSpec((None,), tf.int32)} if dtype == tf.string else parts


def write_file(raw: pq.ParquetFile, file: Any, transform: Transform, plan: FeaturesPlan) -> None:
    """Writes one file of transformed examples: the rows of the raw file, in its order, batch by batch."""
    parts = transformed_batches(raw, transform, plan)
    first = next(parts)
    with pa.ipc.new_file(file, first.schema) as writer:
        for part in itertools.chain([first], parts):
            writer.write_batch(part)


def transformed_batches(raw: pq.ParquetFile, transform: Transform, plan: FeaturesPlan) -> Iterator[pa.RecordBatch]:
    """The transformed rows of one file, batch by batch; one empty batch for an empty file."""
    labels = [label_of(task) for task in plan.tasks]
    weights = [weight_of(task) for task in plan.tasks]
    group = plan.group_key
    columns = [*dict.fromkeys([*raw_names(plan.features), *labels, *weights, EXAMPLE_ID, *([group] if group else [])])]
    if raw.metadata.num_rows:
        batches = raw.iter_batches(BATCH_ROWS, columns=columns)
    else:
        none = [pa.array([], raw.schema_arrow.field(name).type) for name in columns]
        batches = iter([pa.RecordBatch.from_arrays(none, names=columns)])

    def transformed(batch: pa.RecordBatch) -> pa.RecordBatch:
        packed = transform(batch)
        if group is not None:
            packed |= {GROUP: group_hashes(batch.column(group), group)}
        return layout(batch, packed, labels, weights, plan.tasks)

    return ordered_map(transformed, batches)


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
        "example_id": pa.array(_ids(batch.column(EXAMPLE_ID))),
    }
    fields = [pa.field(name, array.type, nullable=False) for name, array in columns.items()]
    schema = pa.schema(fields, metadata={b"tasks": json.dumps(list(tasks)).encode()})
    return pa.RecordBatch.from_arrays(list(columns.values()), schema=schema)


def _matrix(values: np.ndarray) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(values).reshape(-1)), values.shape[1])


def _ids(column: pa.Array) -> np.ndarray:
    if not (lengths(column) == 1).all():
        raise ValueError(f"the column {EXAMPLE_ID!r} must have exactly one value in every row")
    return distinct_values(column)[0]
