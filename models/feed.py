"""Columnar examples -> tf.data: columns are mapped from disk, and a batch is a gather of rows.

    Split-train/*.arrow -> read_split -> Columns -> dataset -> (features, labels, weights) batches of one static shape

The examples are put in the order of their ids first, so it does not matter how they were divided into files; each
epoch's order is then a pure function of the seed and the epoch.
"""

from __future__ import annotations

import dataclasses
import glob
import json
import tempfile
import threading

import numpy as np
import pyarrow as pa
import tensorflow as tf

from models.errors import InputError

# Splits in several files are put in order in memory up to this size, beyond it in a temporary file that is mapped.
MEMORY_BYTES = 4 * 2**30

# Batches that are gathered at the same time.
_GATHERERS = 4

_BESIDES = ("labels", "weights", "example_id")

Batch = tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Columns:
    """A split in the order of example_id.

    Attributes:
        arrays: {"categorical", "numeric", "multivalued/<feature>": (example, width)}, as `models.preprocessing.pack` makes
            them.
        labels: (example, task) float32.
        weights: (example, task) float32; 0 where the task is not observed.
        example_id: (example,) int64, rising.
        tasks: names of the columns of `labels`.
    """

    arrays: dict[str, np.ndarray]
    labels: np.ndarray
    weights: np.ndarray
    example_id: np.ndarray
    tasks: tuple[str, ...]


def read_split(pattern: str) -> Columns:
    """The examples of a split.

    A single file that lies in order is mapped as it is; several are gathered once.

    Args:
        pattern: glob of the files that the features stage wrote.

    Raises:
        InputError: no files, files of something else or of different recipes, or not a single example.
    """
    paths = sorted(glob.glob(pattern))
    if not paths:
        raise InputError(f"{pattern}: expected the Arrow files of a split, no file matches.")
    batches, schema = [], None
    for path in paths:
        reader = _open(path)
        if schema is None:
            schema = reader.schema
        elif not reader.schema.equals(schema, check_metadata=True):
            raise InputError(
                f"{path}: its columns or tasks differ from those of {paths[0]}. "
                "All files of a split come from one run of the features stage; make them again."
            )
        batches += [reader.get_batch(i) for i in range(reader.num_record_batches)]
    batches = [batch for batch in batches if batch.num_rows]
    if not batches or schema is None:
        raise InputError(
            f"{pattern}: the split has no examples. Look at the recipe's `split`, and at the stages before."
        )
    columns = {name: [_view(batch.column(name)) for batch in batches] for name in schema.names}
    ordered = _in_order(columns, pattern)
    return Columns(
        {name: array for name, array in ordered.items() if name not in _BESIDES},
        ordered["labels"],
        ordered["weights"],
        ordered["example_id"],
        tuple(json.loads(schema.metadata[b"tasks"])),
    )


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
    if pa.types.is_fixed_size_list(column.type):
        return column.flatten().to_numpy(zero_copy_only=True).reshape(len(column), column.type.list_size)
    return column.to_numpy(zero_copy_only=True)


def _in_order(columns: dict[str, list[np.ndarray]], pattern: str) -> dict[str, np.ndarray]:
    ids = np.concatenate(columns["example_id"])
    order = np.argsort(ids, kind="stable")
    repeated = np.flatnonzero(np.diff(ids[order]) == 0)
    if len(repeated):
        raise InputError(
            f"{pattern}: the example id {ids[order][repeated[0]]} is there more than once. Are there files of two runs?"
        )
    if len(columns["example_id"]) == 1 and (np.diff(order) == 1).all():
        return {name: parts[0] for name, parts in columns.items()}
    places = np.empty_like(order)
    places[order] = np.arange(len(order))
    in_memory = sum(part.nbytes for parts in columns.values() for part in parts) <= MEMORY_BYTES
    ordered = {}
    for name, parts in columns.items():
        target = _empty((len(ids), *parts[0].shape[1:]), parts[0].dtype, in_memory)
        start = 0
        for part in parts:
            target[places[start : start + len(part)]] = part
            start += len(part)
        ordered[name] = target
    return ordered


def _empty(shape: tuple[int, ...], dtype: np.dtype, in_memory: bool) -> np.ndarray:
    if in_memory:
        return np.empty(shape, dtype)
    # The file has no name any more, and goes with the mapping.
    with tempfile.TemporaryFile() as file:
        return np.memmap(file, dtype, mode="w+", shape=shape)


def epoch_order(examples: int, seed: int, epoch: int) -> np.ndarray:
    """(example,) int64: the order of the examples in an epoch, a pure function of its arguments."""
    return np.random.default_rng([seed, epoch]).permutation(examples)


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
    # Rows one after the other are a slice, without a gather; the last batch is filled up.
    if order is None and rows == batch_size:
        parts = [array[start : start + rows] for array in (*columns.arrays.values(), columns.labels, columns.weights)]
    else:
        chosen = np.arange(start, start + rows) if order is None else order[start : start + rows]
        if rows < batch_size:
            first = 0 if order is None else order[0]
            chosen = np.concatenate([chosen, np.full(batch_size - rows, first)])
        # `take` that need not check its indices is four times as fast as array[chosen].
        parts = [
            array.take(chosen, axis=0, mode="clip")
            for array in (*columns.arrays.values(), columns.labels, columns.weights)
        ]
    *features, labels, weights = parts
    if rows < batch_size:
        weights[rows:] = 0.0
    return dict(zip(columns.arrays, features, strict=True)), labels, weights


def dataset(columns: Columns, batch_size: int, seed: int | None, first_epoch: int = 0) -> tf.data.Dataset:
    """Batches of (features, labels (batch, task), weights (batch, task)), all of one size, for Keras' `fit`.

    With a seed: epoch after epoch without end, each in an order of its own, from epoch `first_epoch` on: give `fit`
    `steps_per_epoch`, or take that many. A training that goes on at epoch k sees the same batches as one that was never
    stopped. Without: one pass in the order of example_id, for evaluation.

    Args:
        columns: of a split.
        batch_size: examples of a batch.
        seed: of the order; None for a single pass.
        first_epoch: counted from 0.
    """
    steps = -(-len(columns.example_id) // batch_size)
    orders, lock = _Orders(len(columns.example_id), seed), threading.Lock()

    def gather(step: np.int64) -> list[np.ndarray]:
        epoch, index = divmod(int(step), steps)
        with lock:
            order = orders.of(epoch)
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
    numbers = tf.data.Dataset.range(0 if seed is None else first_epoch * steps, last)
    return (
        numbers.map(load, num_parallel_calls=_GATHERERS, deterministic=True)
        .apply(tf.data.experimental.assert_cardinality(size))
        .prefetch(_GATHERERS)
    )


class _Orders:
    """The orders of the epochs, computed once each: two are kept, because batches of two epochs can be under way."""

    def __init__(self, examples: int, seed: int | None) -> None:
        self._examples, self._seed = examples, seed
        self._kept: dict[int, np.ndarray] = {}

    def of(self, epoch: int) -> np.ndarray | None:
        if self._seed is None:
            return None
        if epoch not in self._kept:
            self._kept = {key: order for key, order in self._kept.items() if key == epoch - 1}
            self._kept[epoch] = epoch_order(self._examples, self._seed, epoch)
        return self._kept[epoch]
