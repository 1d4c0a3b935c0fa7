"""RowCounts: how often training has read each row of the embedding tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from models.embedding_optimizers.distinct_rows import DistinctRows
from models.layers.fused_tables import PADDING_ROW


@keras.saving.register_keras_serializable(package="gatewise")
class RowCounts(keras.layers.Layer):
    """One number for each row of each fused table; padding is not counted. Saved and restored with the model."""

    def build(self, rows: Sequence[int]) -> None:
        """Makes the counts of tables of these numbers of rows."""
        self.totals = [
            self.add_weight(shape=(count,), initializer="zeros", trainable=False, autocast=False, name="row_counts")
            for count in rows
        ]

    def add(self, index: int, rows: DistinctRows) -> tuple[Any, Any]:
        """Counts a batch.

        Args:
            index: the table's place among those given to `build`.
            rows: the rows that the batch reads.

        Returns:
            (position,) and (position,): 1 / how often the batch reads the row, 0 for padding; and how often all batches
            read it so far, 1 or more.
        """
        counts = rows.counts()
        once = tf.where(rows.targets == PADDING_ROW, 0.0, counts)
        total = self.totals[index].value
        tf.raw_ops.ResourceScatterAdd(resource=total.handle, indices=rows.targets, updates=once)
        return tf.math.divide_no_nan(1.0, counts), tf.maximum(tf.gather(total, rows.ids), 1.0)
