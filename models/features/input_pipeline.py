"""Columnar examples -> tf.data: the rows of a split lie one after the other, and a batch is one gather of rows.

    Split-train/*.arrow -> read_split -> Columns -> dataset -> (features, labels, weights) batches of one static shape

The examples are put in the order of their ids first, so it does not matter how they were divided into files; each
epoch's order is then a pure function of the seed and the epoch.
"""

from __future__ import annotations

import dataclasses
import json
import tempfile
import weakref
from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
import tensorflow as tf

from models.features.byte_packing import Compact, Extent, layouts
from models.features.epoch_orders import Orders, index_type
from models.files.split_files import files_of
from models.recipe.errors import InputError

# A split is put in order in memory up to this size, beyond it in a temporary file that is mapped: the system may then
# take its pages back.
MEMORY_BYTES = 2**30

# Batches that are gathered at the same time.
_GATHERERS = 4

_BESIDES = ("labels", "weights", "example_id")

Array = np.ndarray | Compact
Batch = tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Columns:
    """A split in the order of example_id.

    Attributes:
        arrays: {"categorical", "numeric", "multivalued/<feature>": (example, width)}, as `models.features.preprocessing.pack` makes
            them. Those of `read_split`, its labels and weights too, are `Compact` in shared rows: a batch touches one
            place for each example, and not one for each column.
        labels: (example, task) float32.
        weights: (example, task) float32; 0 where the task is not observed.
        example_id: (example,) int64, rising.
        tasks: names of the columns of `labels`.
        orders: of the epochs.
    """

    arrays: Mapping[str, Array]
    labels: Array
    weights: Array
    example_id: np.ndarray
    tasks: tuple[str, ...]
    orders: Orders = dataclasses.field(default_factory=Orders, init=False, repr=False, compare=False)


def read_split(pattern: str) -> Columns:
    """The examples of a split.

    The files are read twice, a record batch at a time: for the ids and the range of every column, and into the one copy
    that is made, in the order of example_id. Nothing of the files stays mapped.

    Args:
        pattern: glob of the files that the features stage wrote.

    Raises:
        InputError: no files, files of something else or of different recipes, or not a single example.
    """
    paths = files_of(pattern)
    if not paths:
        raise InputError(f"{pattern}: expected the Arrow files of a split, no file matches.")
    schema, ids, extents = _survey(paths)
    if not len(ids):
        raise InputError(
            f"{pattern}: the split has no examples. Look at the recipe's `split`, and at the stages before."
        )
    example_id, places = _in_order(ids, pattern)
    del ids
    columns = _gather_rows(paths, extents, places)
    return Columns(
        {name: array for name, array in columns.items() if name not in _BESIDES},
        columns["labels"],
        columns["weights"],
        example_id,
        tuple(json.loads(schema.metadata[b"tasks"])),
    )


def _survey(paths: list[str]) -> tuple[pa.Schema, np.ndarray, dict[str, Extent]]:
    """The schema of all files, their example ids in the order of the files, and what each column needs."""
    schema, ids, extents = None, [np.zeros(0, np.int64)], {}
    for path in paths:
        reader = _open(path)
        if schema is None:
            schema = reader.schema
            fields = [field for field in schema if field.name != "example_id"]
            extents = {
                field.name: Extent(field.type.list_size, np.dtype(field.type.value_type.to_pandas_dtype()))
                for field in fields
            }
        elif not reader.schema.equals(schema, check_metadata=True):
            raise InputError(
                f"{path}: its columns or tasks differ from those of {paths[0]}. "
                "All files of a split come from one run of the features stage; make them again."
            )
        for batch in _batches(reader):
            ids.append(batch.column("example_id").to_numpy().copy())
            for name, extent in extents.items():
                extent.add(_view(batch.column(name)))
    return schema, np.concatenate(ids), extents


def _batches(reader: pa.ipc.RecordBatchFileReader) -> Iterator[pa.RecordBatch]:
    return (reader.get_batch(i) for i in range(reader.num_record_batches))


def _gather_rows(paths: list[str], extents: Mapping[str, Extent], places: np.ndarray) -> dict[str, Compact]:
    """The arrays of all files in rows that they share, row i of the files at `places[i]`."""
    found, size = layouts(extents)
    rows, start = _empty((len(places), size)), 0
    for path in paths:
        for batch in _batches(_open(path)):
            packed = np.empty((batch.num_rows, size), np.uint8)
            for name, layout in found.items():
                layout.pack(_view(batch.column(name)), packed)
            rows[places[start : start + len(packed)]] = packed
            start += len(packed)
    return {name: Compact(rows, layout) for name, layout in found.items()}


def _open(path: str) -> pa.ipc.RecordBatchFileReader:
    try:
        reader = pa.ipc.open_file(pa.memory_map(path))
    except pa.ArrowInvalid as error:
        raise InputError(
            f"{path}: expected an Arrow file of the features stage; it can't be read ({error})."
        ) from error
    missing = [name for name in _BESIDES if name not in reader.schema.names]
    if missing or b"tasks" not in (reader.schema.metadata or {}):
        raise InputError(
            f"{path}: expected an Arrow file of the features stage, with the columns {', '.join(_BESIDES)} and the tasks' "
            f"names; found the columns {', '.join(reader.schema.names)}."
        )
    return reader


def _view(column: pa.Array) -> np.ndarray:
    """(row, number) of 4 bytes each."""
    flat = column.flatten().to_numpy(zero_copy_only=True)
    if flat.dtype.itemsize != 4:
        raise ValueError(f"expected columns of int32 or float32, received {column.type}")
    return flat.reshape(len(column), column.type.list_size)


def _in_order(ids: np.ndarray, pattern: str) -> tuple[np.ndarray, np.ndarray]:
    """The ids, rising, and the place of each of the given ones among them."""
    order = np.argsort(ids, kind="stable")
    rising = ids[order]
    repeated = np.flatnonzero(np.diff(rising) == 0)
    if len(repeated):
        raise InputError(
            f"{pattern}: the example id {rising[repeated[0]]} is there more than once. Are there files of two runs?"
        )
    places = np.empty(len(order), index_type(len(order)))
    places[order] = np.arange(len(order))
    return rising, places


def _empty(shape: tuple[int, int]) -> np.ndarray:
    if shape[0] * shape[1] <= MEMORY_BYTES:
        return np.empty(shape, np.uint8)
    # The file has no name any more, and goes with the mapping.
    with tempfile.TemporaryFile() as file:
        return np.memmap(file, np.uint8, mode="w+", shape=shape)


def batch(columns: Columns, batch_size: int, order: np.ndarray | None, index: int) -> Batch:
    """One batch of a pass over the examples; the last is filled up with examples of weight 0 from the pass's begin.

    Args:
        columns: of a split.
        batch_size: examples of a batch.
        order: (example,), or None for the order of example_id.
        index: of the batch, from 0.

    Returns:
        Features, labels (batch_size, task) and weights (batch_size, task).
    """
    start = index * batch_size
    rows = min(batch_size, len(columns.example_id) - start)
    arrays = [*columns.arrays.values(), columns.labels, columns.weights]
    # Rows one after the other are a slice, without a gather; the last batch is filled up.
    if order is None and rows == batch_size:
        parts = [array[start : start + rows] for array in arrays]
    else:
        chosen = np.arange(start, start + rows) if order is None else order[start : start + rows]
        if rows < batch_size:
            first = 0 if order is None else order[0]
            chosen = np.concatenate([chosen, np.full(batch_size - rows, first)])
        parts = _take(arrays, chosen)
    *features, labels, weights = parts
    if rows < batch_size:
        weights[rows:] = 0.0
    return dict(zip(columns.arrays, features, strict=True)), labels, weights


def _take(arrays: list[Array], chosen: np.ndarray) -> list[np.ndarray]:
    """The chosen rows of every array; those that share their rows come of one gather."""
    taken: dict[int, np.ndarray] = {}
    parts = []
    for array in arrays:
        rows = array.rows if isinstance(array, Compact) else array
        if id(rows) not in taken:
            # `take` that need not check its indices is four times as fast as array[chosen].
            taken[id(rows)] = rows.take(chosen, axis=0, mode="clip")
        part = taken[id(rows)]
        parts.append(array.layout.unpack(part) if isinstance(array, Compact) else part)
    return parts


def dataset(
    columns: Columns, batch_size: int, seed: int | None, first_epoch: int = 0, first_step: int = 0
) -> tf.data.Dataset:
    """Batches of (features, labels (batch, task), weights (batch, task)), all of one size, for Keras' `fit`.

    With a seed: epoch after epoch without end, each in an order of its own, from epoch `first_epoch` on: give `fit`
    `steps_per_epoch`, or take that many. A training that goes on at a step of an epoch sees the same batches as one that
    was never stopped. Without: one pass in the order of example_id, for evaluation.

    The data set does not keep the columns: whoever iterates it does.

    Args:
        columns: of a split.
        batch_size: examples of a batch.
        seed: of the order; None for a single pass.
        first_epoch: counted from 0; only with a seed.
        first_step: batches of the first epoch that are left out, because the training has seen them; only with a seed.
    """
    examples = len(columns.example_id)
    steps = -(-examples // batch_size)
    # TensorFlow keeps every Python function that was ever in a graph as long as the process lives, and all it refers to.
    kept = weakref.ref(columns)

    def gather(step: np.int64) -> list[np.ndarray]:
        columns = kept()
        if columns is None:
            raise ReferenceError("the columns of this data set are gone; keep them as long as you iterate it")
        epoch, index = divmod(int(step), steps)
        order = None if seed is None else columns.orders.of(examples, seed, epoch)
        features, labels, weights = batch(columns, batch_size, order, index)
        return [*features.values(), labels, weights]

    names = [*columns.arrays]
    shapes = [array.shape[1:] for array in (*columns.arrays.values(), columns.labels, columns.weights)]
    types = [array.dtype for array in (*columns.arrays.values(), columns.labels, columns.weights)]

    def load(step: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor, tf.Tensor]:
        parts = tf.numpy_function(gather, [step], types)
        for part, shape in zip(parts, shapes, strict=True):
            part.set_shape((batch_size, *shape))
        return dict(zip(names, parts[:-2], strict=True)), parts[-2], parts[-1]

    last, size = (steps, steps) if seed is None else (2**63 - 1, tf.data.INFINITE_CARDINALITY)
    numbers = tf.data.Dataset.range(0 if seed is None else first_epoch * steps + first_step, last)
    # Nothing here is left to tf.data's tuner, and an iterator's end waits for the tuner to wake: up to twice the time that the
    # iterator has lived, or a minute.
    options = tf.data.Options()
    options.autotune.enabled = False
    return (
        numbers.map(load, num_parallel_calls=_GATHERERS, deterministic=True)
        .apply(tf.data.experimental.assert_cardinality(size))
        .prefetch(_GATHERERS)
        .with_options(options)
    )
