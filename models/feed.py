"""Columnar examples -> tf.data: the rows of a split lie one after the other, and a batch is one gather of rows.

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
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import tensorflow as tf

from models.errors import InputError

# A split is put in order in memory up to this size, beyond it in a temporary file that is mapped: the system may then
# take its pages back.
MEMORY_BYTES = 2**30

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
        rows: (example, words) int32, or None: the memory of which the arrays, labels and weights are views, each example's
            numbers side by side. A batch then touches one place for each example, and not one for each column.
    """

    arrays: dict[str, np.ndarray]
    labels: np.ndarray
    weights: np.ndarray
    example_id: np.ndarray
    tasks: tuple[str, ...]
    rows: np.ndarray | None = None


def read_split(pattern: str) -> Columns:
    """The examples of a split.

    One copy of them is made, in the order of example_id, a record batch at a time; nothing of the files stays mapped.

    Args:
        pattern: glob of the files that the features stage wrote.

    Raises:
        InputError: no files, files of something else or of different recipes, or not a single example.
    """
    paths = sorted(glob.glob(pattern))
    if not paths:
        raise InputError(f"{pattern}: expected the Arrow files of a split, no file matches.")
    schema, ids = None, []
    for path in paths:
        reader = _open(path)
        if schema is None:
            schema = reader.schema
        elif not reader.schema.equals(schema, check_metadata=True):
            raise InputError(
                f"{path}: its columns or tasks differ from those of {paths[0]}. "
                "All files of a split come from one run of the features stage; make them again."
            )
        ids += [batch.column("example_id").to_numpy().copy() for batch in _batches(reader)]
    if schema is None or not sum(map(len, ids)):
        raise InputError(
            f"{pattern}: the split has no examples. Look at the recipe's `split`, and at the stages before."
        )
    example_id, places = _in_order(np.concatenate(ids), pattern)
    names = [name for name in schema.names if name != "example_id"]
    rows, columns = _gather_rows(paths, names, places)
    return Columns(
        {name: array for name, array in columns.items() if name not in _BESIDES},
        columns["labels"],
        columns["weights"],
        example_id,
        tuple(json.loads(schema.metadata[b"tasks"])),
        rows,
    )


def _batches(reader: pa.ipc.RecordBatchFileReader) -> Iterator[pa.RecordBatch]:
    return (reader.get_batch(i) for i in range(reader.num_record_batches))


def _gather_rows(paths: list[str], names: list[str], places: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """(example, words) int32 with row i of the files at `places[i]`, and its views {name: (example, width)}."""
    rows, start = np.empty((0, 0), np.int32), 0
    types: dict[str, tuple[int, np.dtype]] = {}
    for path in paths:
        for batch in _batches(_open(path)):
            views = {name: _view(batch.column(name)) for name in names}
            if not types:
                types = {name: (view.shape[1], view.dtype) for name, view in views.items()}
                rows = _empty((len(places), sum(width for width, _ in types.values())))
            # Here a column is a few bytes of each row; numbers of 4 bytes lie beside each other whatever they are.
            words = np.concatenate([view.view(np.int32) for view in views.values()], axis=1)
            rows[places[start : start + len(words)]] = words
            start += len(words)
    ends = np.cumsum([width for width, _ in types.values()])
    columns = {
        name: rows[:, end - width : end].view(dtype)
        for end, (name, (width, dtype)) in zip(ends, types.items(), strict=True)
    }
    return rows, columns


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
    places = np.empty_like(order)
    places[order] = np.arange(len(order))
    return rising, places


def _empty(shape: tuple[int, int]) -> np.ndarray:
    if 4 * shape[0] * shape[1] <= MEMORY_BYTES:
        return np.empty(shape, np.int32)
    # The file has no name any more, and goes with the mapping.
    with tempfile.TemporaryFile() as file:
        return np.memmap(file, np.int32, mode="w+", shape=shape)


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
    arrays = [*columns.arrays.values(), columns.labels, columns.weights]
    # Rows one after the other are a slice, without a gather; the last batch is filled up.
    if order is None and rows == batch_size:
        parts = [array[start : start + rows] for array in arrays]
    else:
        chosen = np.arange(start, start + rows) if order is None else order[start : start + rows]
        if rows < batch_size:
            first = 0 if order is None else order[0]
            chosen = np.concatenate([chosen, np.full(batch_size - rows, first)])
        parts = _take(columns.rows, arrays, chosen)
    *features, labels, weights = parts
    if rows < batch_size:
        weights[rows:] = 0.0
    return dict(zip(columns.arrays, features, strict=True)), labels, weights


def _take(rows: np.ndarray | None, arrays: list[np.ndarray], chosen: np.ndarray) -> list[np.ndarray]:
    """The chosen rows of every array; those that are views of `rows` come of one gather."""
    # `take` that need not check its indices is four times as fast as array[chosen].
    taken = None if rows is None else rows.take(chosen, axis=0, mode="clip")
    parts = []
    for array in arrays:
        place = None if rows is None else _place(rows, array)
        if taken is None or place is None:
            parts.append(array.take(chosen, axis=0, mode="clip"))
        else:
            parts.append(np.ascontiguousarray(taken[:, place : place + array.shape[1]]).view(array.dtype))
    return parts


def _place(rows: np.ndarray, array: np.ndarray) -> int | None:
    """The first of the array's columns in `rows`; None where it is no view of it, as labels put in their place later."""
    offset = array.ctypes.data - rows.ctypes.data
    inside = 0 <= offset < rows.strides[0] and array.strides[0] == rows.strides[0] and len(array) == len(rows)
    return offset // 4 if inside and array.itemsize == 4 else None


def dataset(
    columns: Columns, batch_size: int, seed: int | None, first_epoch: int = 0, first_step: int = 0
) -> tf.data.Dataset:
    """Batches of (features, labels (batch, task), weights (batch, task)), all of one size, for Keras' `fit`.

    With a seed: epoch after epoch without end, each in an order of its own, from epoch `first_epoch` on: give `fit`
    `steps_per_epoch`, or take that many. A training that goes on at a step of an epoch sees the same batches as one that
    was never stopped. Without: one pass in the order of example_id, for evaluation.

    Args:
        columns: of a split.
        batch_size: examples of a batch.
        seed: of the order; None for a single pass.
        first_epoch: counted from 0; only with a seed.
        first_step: batches of the first epoch that are left out, because the training has seen them; only with a seed.
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
    numbers = tf.data.Dataset.range(0 if seed is None else first_epoch * steps + first_step, last)
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
