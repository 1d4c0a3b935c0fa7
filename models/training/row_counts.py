"""RowCounts: number of reads of each embedding row in training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from models.embedding_optimizers.distinct_rows import DistinctRows
from models.layers.fused_tables import PADDING_ROW


@keras.saving.register_keras_serializable(package="gatewise")
class RowCounts(keras.layers.Layer):
    """One count for each row of each fused table, without padding. Saved and restored with the model."""

    def build(self, rows: Sequence[int]) -> None:
        """Creates the counts. `rows` are the numbers of rows of the tables."""
        self.totals = [
            self.add_weight(shape=(count,), initializer="zeros", trainable=False, autocast=False, name="row_counts")
            for count in rows
        ]

    def add(self, index: int, rows: DistinctRows) -> tuple[Any, Any]:
        """Counts a batch.

        Args:
            index: position of the table in the list passed to `build`.
            rows: the rows that the batch reads.

        Returns:
            (position,) and (position,): 1 / number of reads of the row in this batch, 0 for padding; and the number of
            reads in all batches so far, at least 1.
        """
        counts = rows.counts()
        once = tf.where(rows.targets == PADDING_ROW, 0.0, counts)
        total = self.totals[index].value
        tf.raw_ops.ResourceScatterAdd(resource=total.handle, indices=rows.targets, updates=once)
        return tf.math.divide_no_nan(1.0, counts), tf.maximum(tf.gather(total, rows.ids), 1.0)
