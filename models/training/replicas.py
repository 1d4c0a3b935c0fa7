"""Communication between the replicas of a `tf.distribute` strategy in a training step. One replica communicates nothing.

Each replica has its own part of the batch and the same variables. Any number of replicas computes the same step as one
replica with the whole batch, by two rules: in every replica a loss has the value of the whole batch, and the mean of its
gradient over replicas is the gradient of the whole batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf


def count() -> int:
    """The number of replicas."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def gathered(array: Any) -> Any:
    """(example, ...) of all replicas, concatenated."""
    return array if count() == 1 else _context().all_gather(array, axis=0)


def own_part(array: Any) -> Any:
    """This replica's part of a gathered array. All parts have the same size."""
    if count() == 1:
        return array
    size = tf.shape(array)[0] // count()
    start = _context().replica_id_in_sync_group * size
    return array[start : start + size]


def examples_before(examples: Any) -> Any:
    """Number of examples in the parts of the preceding replicas. All parts have the same size."""
    return 0 if count() == 1 else _context().replica_id_in_sync_group * examples


def mean(arrays: Any) -> Any:
    """Mean over replicas of an array, or of each array in a list."""
    return arrays if count() == 1 or not len(arrays) else _context().all_reduce(tf.distribute.ReduceOp.MEAN, arrays)


def total(array: Any) -> Any:
    """Sum over replicas of an array."""
    return array if count() == 1 else _context().all_reduce(tf.distribute.ReduceOp.SUM, array)


def of_examples(gradients: Any) -> Any:
    """Gradients with respect to the examples of the whole batch: (task, replica * number).

    Args:
        gradients: (task, number), with respect to this replica's examples, of losses of `whole_batch`.
    """
    if count() == 1:
        return gradients
    tasks, number = gradients.shape
    whole = tf.transpose(gathered(tf.transpose(gradients))) / count()
    return tf.ensure_shape(whole, (tasks, None if number is None else number * count()))


def of_own_examples(gradient: Any) -> Any:
    """This replica's part of a gradient (replica * number,) of `of_examples`, as that of a loss of `whole_batch`."""
    return own_part(gradient) * count()


def any_of(flags: Any) -> Any:
    """Whether a flag is true in any replica."""
    if count() == 1:
        return flags
    return total(tf.cast(flags, tf.float32)) > 0


def whole_batch(losses: list[Any], weights: Any) -> list[Any]:
    """Losses of the whole batch, from the losses of this replica's part.

    loss = sum_r W_r loss_r / sum_r W_r

    Args:
        losses: weighted mean of each task over the part.
        weights: (example, task) of the part.
    """
    if count() == 1:
        return losses
    sums = tf.reduce_sum(weights, axis=0)
    shares = tf.unstack(tf.math.divide_no_nan(sums, total(sums)))
    parts = [share * loss for share, loss in zip(shares, losses, strict=True)]
    whole = _context().all_reduce(tf.distribute.ReduceOp.SUM, [tf.stop_gradient(part) for part in parts])
    # The gradient of the part, times the number of replicas: the step later averages over replicas.
    return [value + count() * (part - tf.stop_gradient(part)) for value, part in zip(whole, parts, strict=True)]


def assign(variables: Sequence[Any], values: Sequence[Any]) -> None:
    """Assigns Keras variables in every replica. All replicas give the same values."""
    if count() == 1:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        return

    def in_each(strategy: tf.distribute.Strategy, new: list[Any]) -> None:
        for variable, value in zip(variables, new, strict=True):
            strategy.extended.update(variable.value, lambda own, one: own.assign(one), args=(value,), group=False)

    _context().merge_call(in_each, args=(list(values),))


def _context() -> Any:
    return tf.distribute.get_replica_context()
