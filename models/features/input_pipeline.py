"""Columnar examples -> tf.data. The rows of a split are contiguous, and a batch is one gather of rows.

    Split-train/*.arrow -> read_split -> Columns -> dataset -> (features, labels, weights) batches of one static shape

Examples are first sorted by id, so the result does not depend on their division into files. The order of each epoch is
then a pure function of seed and epoch, and under `balanced` of the weights.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import weakref
from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
import tensorflow as tf
from numpy.typing import NDArray

from models.features import balanced_rows, byte_packing
from models.features.byte_packing import Array, Compact, Extent, layouts, take
from models.features.epoch_orders import Orders
from models.features.example_ids import in_order
from models.features.groups import GROUP, codes_of
from models.files.split_files import files_of
from models.recipe.errors import InputError

# Number of batches to gather in parallel.
_GATHERERS = 4

_BESIDES = ("labels", "weights", "example_id")

Batch = tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Columns:
    """A split, sorted by example_id.

    Attributes:
        arrays: {"categorical", "numeric", "multivalued/<feature>": (example, width)}, from
            `models.features.preprocessing.pack`. Arrays from `read_split`, with labels and weights, are `Compact` in
            shared rows: a batch reads one row per example instead of one per column.
        labels: (example, task) float32.
        weights: (example, task) float32; 0 where the task is not observed.
        example_id: (example,) int64, ascending.
        tasks: names of the columns of `labels`.
        groups: (example,) int32, the group of each example; or None. A batch has them as the feature GROUP.
        orders: cache of the epoch orders.
    """

    arrays: Mapping[str, Array]
    labels: Array
    weights: Array
    example_id: np.ndarray
    tasks: tuple[str, ...]
    groups: NDArray[np.int32] | None = None
    orders: Orders = dataclasses.field(default_factory=Orders, init=False, repr=False, compare=False)

    @property
    def inputs(self) -> Mapping[str, Array]:
        """The features of a batch."""
        return self.arrays if self.groups is None else {**self.arrays, GROUP: self.groups}

    @functools.cached_property
    def by_group(self) -> np.ndarray | None:
        """(example,): order of a pass without a seed; None without groups."""
        return None if self.groups is None else np.argsort(self.groups, kind="stable")

    @functools.cached_property
    def probabilities(self) -> NDArray[np.float64]:
        """(example,): `balanced_rows.probabilities` of the weights."""
        return balanced_rows.probabilities(np.asarray(self.weights[:]))

    @functools.cached_property
    def corrections(self) -> NDArray[np.float32]:
        """(example,): `balanced_rows.corrections` of the probabilities."""
        return balanced_rows.corrections(self.probabilities)

    def of_tasks(self, tasks: tuple[str, ...]) -> Columns:
        """The split with the labels and weights of some of its tasks, in the given order."""
        if tasks == self.tasks:
            return self
        places = [self.tasks.index(task) for task in tasks]
        labels, weights = (np.asarray(array[:])[:, places] for array in (self.labels, self.weights))
        return dataclasses.replace(self, labels=labels, weights=weights, tasks=tasks)


def read_split(pattern: str) -> Columns:
    """Reads the examples of a split.

    Reads the files twice, one record batch at a time: first the ids and the range of every column, then into a single copy
    sorted by example_id. No file stays mapped.

    Args:
        pattern: glob of the files from the features stage.

    Raises:
        InputError: no file matches, a file has another format or recipe, or there is no example.
    """
    paths = files_of(pattern)
    if not paths:
        raise InputError(f"{pattern}: expected the Arrow files of a split, no file matches.")
    schema, ids, extents = _survey(paths)
    if not len(ids):
        raise InputError(f"{pattern}: the split has no examples. Check the recipe's `split` and the earlier stages.")
    example_id, places = in_order(ids, pattern)
    del ids
    columns = _gather_rows(paths, extents, places)
    return Columns(
        {name: array for name, array in columns.items() if name not in (*_BESIDES, GROUP)},
        columns["labels"],
        columns["weights"],
        example_id,
        tuple(json.loads(schema.metadata[b"tasks"])),
        codes_of(columns[GROUP][:]) if GROUP in columns else None,
    )


def _survey(paths: list[str]) -> tuple[pa.Schema, np.ndarray, dict[str, Extent]]:
    """The schema of all files, their example ids in file order, and the extent of each column."""
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
                "All files of a split must come from one run of the features stage. Run it again."
            )
        for batch in _batches(reader):
            ids.append(batch.column("example_id").to_numpy().copy())
            for name, extent in extents.items():
                extent.add(_view(batch.column(name)))
    return schema, np.concatenate(ids), extents


def _batches(reader: pa.ipc.RecordBatchFileReader) -> Iterator[pa.RecordBatch]:
    return (reader.get_batch(i) for i in range(reader.num_record_batches))


def _gather_rows(paths: list[str], extents: Mapping[str, Extent], places: np.ndarray) -> dict[str, Compact]:
    """The arrays of all files in shared rows, row i of the files at `places[i]`."""
    found, size = layouts(extents)
    rows, start = byte_packing.empty_rows((len(places), size)), 0
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
            f"{path}: expected an Arrow file of the features stage; it cannot be read ({error})."
        ) from error
    missing = [name for name in _BESIDES if name not in reader.schema.names]
    if missing or b"tasks" not in (reader.schema.metadata or {}):
        raise InputError(
            f"{path}: expected an Arrow file of the features stage, with the columns {', '.join(_BESIDES)} and the tasks' "
            f"names; found the columns {', '.join(reader.schema.names)}."
        )
    return reader


def _view(column: pa.Array) -> np.ndarray:
    """(row, number) view of 4-byte values."""
    flat = column.flatten().to_numpy(zero_copy_only=True)
    if flat.dtype.itemsize != 4:
        raise ValueError(f"expected columns of int32 or float32, received {column.type}")
    return flat.reshape(len(column), column.type.list_size)


def batch(
    columns: Columns,
    batch_size: int,
    order: np.ndarray | None,
    index: int,
    corrections: NDArray[np.float32] | None = None,
) -> Batch:
    """One batch of a pass over the examples. The last batch is padded with examples of weight 0 from the start of the pass.

    Args:
        columns: columns of a split.
        batch_size: number of examples per batch.
        order: (example,), or None for the order of example_id.
        index: index of the batch, from 0.
        corrections: (example,), factors of the weights. Only with an order.

    Returns:
        Features, labels (batch_size, task) and weights (batch_size, task).
    """
    start = index * batch_size
    rows = min(batch_size, len(columns.example_id) - start)
    arrays = [*columns.inputs.values(), columns.labels, columns.weights]
    # Contiguous rows are a slice, without a gather; the last batch is padded.
    if order is None and rows == batch_size:
        parts = [array[start : start + rows] for array in arrays]
    else:
        chosen = np.arange(start, start + rows) if order is None else order[start : start + rows]
        if rows < batch_size:
            first = 0 if order is None else order[0]
            chosen = np.concatenate([chosen, np.full(batch_size - rows, first)])
        parts = take(arrays, chosen)
    *features, labels, weights = parts
    if corrections is not None:
        weights = weights * corrections[chosen, None]
    if rows < batch_size:
        weights[rows:] = 0.0
    return dict(zip(columns.inputs, features, strict=True)), labels, weights


def batch_of_step(columns: Columns, batch_size: int, seed: int | None, step: int, balanced: bool = False) -> Batch:
    """The batch of a step of `dataset`, counted from the first epoch, from 0. The arguments are those of `dataset`."""
    examples = len(columns.example_id)
    epoch, index = divmod(step, -(-examples // batch_size))
    probabilities, corrections = (columns.probabilities, columns.corrections) if balanced else (None, None)
    orders = columns.orders
    order = columns.by_group if seed is None else orders.of(examples, seed, epoch, probabilities, columns.groups)
    return batch(columns, batch_size, order, index, corrections)


def dataset(
    columns: Columns,
    batch_size: int,
    seed: int | None,
    first_epoch: int = 0,
    first_step: int = 0,
    balanced: bool = False,
) -> tf.data.Dataset:
    """Batches of (features, labels (batch, task), weights (batch, task)), all of one size, for Keras' `fit`.

    With a seed: an infinite sequence of epochs from `first_epoch`, each in its own order. Pass `steps_per_epoch` to `fit`,
    or `take` that many batches. A resumed training sees the same batches as an uninterrupted one. Without a seed: one pass
    in the order of example_id, for evaluation. With groups, the examples of a group follow each other in every pass.

    The data set does not keep the columns alive; the caller must.

    Args:
        columns: columns of a split.
        batch_size: number of examples per batch.
        seed: seed of the order. None: a single pass.
        first_epoch: first epoch, from 0. Only with a seed.
        first_step: number of batches of the first epoch to skip. Only with a seed.
        balanced: draw the rows of each epoch so that every task is seen equally often, and correct their weights
            (`models.features.balanced_rows`). Only with a seed.
    """
    steps = -(-len(columns.example_id) // batch_size)
    # TensorFlow keeps every Python function of a graph, and all that it refers to, until the process ends.
    kept = weakref.ref(columns)

    def gather(step: np.int64) -> list[np.ndarray]:
        columns = kept()
        if columns is None:
            raise ReferenceError("the columns of this data set were released; keep them while you iterate it")
        features, labels, weights = batch_of_step(columns, batch_size, seed, int(step), balanced)
        return [*features.values(), labels, weights]

    names = [*columns.inputs]
    shapes = [array.shape[1:] for array in (*columns.inputs.values(), columns.labels, columns.weights)]
    types = [array.dtype for array in (*columns.inputs.values(), columns.labels, columns.weights)]

    def load(step: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor, tf.Tensor]:
        parts = tf.numpy_function(gather, [step], types)
        for part, shape in zip(parts, shapes, strict=True):
            part.set_shape((batch_size, *shape))
        return dict(zip(names, parts[:-2], strict=True)), parts[-2], parts[-1]

    last, size = (steps, steps) if seed is None else (2**63 - 1, tf.data.INFINITE_CARDINALITY)
    numbers = tf.data.Dataset.range(0 if seed is None else first_epoch * steps + first_step, last)
    # With the tuner of tf.data, the end of an iterator waits for it: up to twice its lifetime, or a minute.
    options = tf.data.Options()
    options.autotune.enabled = False
    return (
        numbers.map(load, num_parallel_calls=_GATHERERS, deterministic=True)
        .apply(tf.data.experimental.assert_cardinality(size))
        .prefetch(_GATHERERS)
        .with_options(options)
    )
