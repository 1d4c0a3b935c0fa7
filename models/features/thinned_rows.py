"""A share of the negatives: the train rows that remain, and the weights of their tasks.

A negative of a task with the rate r is kept if hash(seed, example_id) < r 2^64, so with probability r. Otherwise the task is not
observed on it: its weight is 0. Rows in which no task is observed any more are left out. Which negatives are kept depends neither
on the other rows nor on their order. A smaller rate keeps a part of what a larger one keeps, of other tasks, too, so that the fewest
rows are left.

If p is the probability of a positive among the rows that are kept, the probability among all rows is

    q = p / (p + (1 - p) / r),    logit(q) = logit(p) + ln r

He et al., Practical Lessons from Predicting Clicks on Ads at Facebook, 2014 (https://doi.org/10.1145/2648584.2648589), section 6.3.
`models.training.task_scales` adds ln r.
"""

from __future__ import annotations

import dataclasses
import hashlib
import logging
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from models.features.byte_packing import Array, Compact, empty_rows
from models.features.input_pipeline import Columns
from models.features.splitmix import mix
from models.recipe.errors import InputError

logger = logging.getLogger(__name__)


def thinned(columns: Columns, rates: Mapping[str, float], seed: int) -> Columns:
    """The split with a share of the negatives of some tasks. The same object if no rate is below 1.

    Args:
        columns: the train split.
        rates: {task: share of its negatives to keep, above 0 and at most 1}. A task that is not named keeps all.
        seed: seed of the choice.

    Raises:
        InputError: no negative of a task is left.
    """
    rates = {task: rate for task, rate in rates.items() if rate < 1.0}
    if not rates:
        return columns
    labels, weights = np.asarray(columns.labels[:]), np.array(columns.weights[:])
    for task, rate in rates.items():
        own = columns.tasks.index(task)
        negative = (labels[:, own] == 0) & (weights[:, own] > 0)
        left = negative & kept(columns.example_id, rate, seed)
        if negative.any() and not left.any():
            raise InputError(
                f"tasks.{task}.negative_rate: {rate:g} leaves none of the {negative.sum():,} negatives of the train split. "
                "Expected a rate that leaves enough of them to learn from. Choose a larger one."
            )
        weights[negative & ~left, own] = 0.0
        logger.info("Task %r: trained on %d of %d negatives.", task, left.sum(), negative.sum())
    rows = np.flatnonzero((weights > 0).any(axis=1))
    logger.info("Trained on %d of %d rows of the train split.", len(rows), len(weights))
    arrays = _chosen({**columns.arrays, "labels": columns.labels, "weights": columns.weights}, rows)
    labels_left, weights_left = arrays.pop("labels"), arrays.pop("weights")
    if isinstance(weights_left, Compact):  # some weights became 0, which every layout can store
        weights_left.layout.pack(weights[rows], weights_left.rows)
    else:
        weights_left = weights[rows]
    ids = columns.example_id[rows]
    groups = (
        None if columns.groups is None else np.unique(columns.groups[rows], return_inverse=True)[1].astype(np.int32)
    )
    return dataclasses.replace(
        columns, arrays=arrays, labels=labels_left, weights=weights_left, example_id=ids, groups=groups
    )


def kept(example_id: NDArray[np.int64], rate: float, seed: int) -> NDArray[np.bool_]:
    """(example,): whether a negative is kept, with probability `rate`.

    The hash is `mix`, twice, of the id and a key of the seed.

    Args:
        example_id: (example,).
        rate: from 0 to 1.
        seed: seed of the choice.
    """
    digest = hashlib.blake2b(f"{seed}".encode(), digest_size=8).digest()
    mixed = mix(mix(example_id) ^ np.frombuffer(digest, "<u8").astype(np.uint64))
    # 53 bits are a float without rounding.
    return (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53 < rate


def _chosen(arrays: Mapping[str, Array], rows: NDArray[np.int64]) -> dict[str, Array]:
    """Copies of the rows of every array. Arrays that share rows share the chosen ones, too."""
    shared: dict[int, np.ndarray] = {}
    found: dict[str, Array] = {}
    for name, array in arrays.items():
        if not isinstance(array, Compact):
            found[name] = array[rows]
            continue
        if id(array.rows) not in shared:
            shared[id(array.rows)] = empty_rows((len(rows), array.rows.shape[1]))
            array.rows.take(rows, axis=0, out=shared[id(array.rows)], mode="clip")
        found[name] = Compact(shared[id(array.rows)], array.layout)
    return found
