"""TaskTrackers: the mean loss of each task over an epoch, as Keras metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from models.training import replicas


class TaskTrackers:
    """`<task>_loss`: the mean over the examples of an epoch, by their weights, so that a batch without observations has no part.

    Args:
        tasks: names of the tasks.
    """

    def __init__(self, tasks: Sequence[str]) -> None:
        self.metrics = [keras.metrics.Mean(name=f"{task}_loss") for task in tasks]

    def update(self, losses: Sequence[Any], weights: Any) -> None:
        """Takes a batch in.

        Args:
            losses: mean loss of each task over the batch.
            weights: (batch, task).
        """
        for i, (metric, loss) in enumerate(zip(self.metrics, losses, strict=True)):
            metric.update_state(loss, tf.reduce_sum(weights[:, i]))

    def means(self) -> Any:
        """(task,): the mean of the epoch so far, over all replicas; 0 without an observed example."""
        totals = replicas.total(tf.stack([metric.total.value for metric in self.metrics]))
        counts = replicas.total(tf.stack([metric.count.value for metric in self.metrics]))
        return tf.math.divide_no_nan(totals, counts)
