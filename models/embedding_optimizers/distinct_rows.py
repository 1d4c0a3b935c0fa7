"""DistinctRows: the distinct rows of a table that a batch reads, without sorting."""

from __future__ import annotations

import dataclasses
from typing import Any

import tensorflow as tf

from models.layers.fused_tables import PADDING_ROW


@dataclasses.dataclass(frozen=True)
class DistinctRows:
    """The positions of a batch and the rows that they read.

    One of the positions that read a row represents the row. Example: for the row ids 7 4 7 padding at positions 0 1 2 3,
    position 2 represents row 7.

    Attributes:
        ids: (position,) the row that each position reads; PADDING_ROW for padding.
        representatives: (position,) the position that represents the row.
        targets: (position,) the row that a position represents; PADDING_ROW if it represents none.
    """

    ids: Any
    representatives: Any
    targets: Any

    def sums(self, values: Any) -> Any:
        """(position, dim) -> (position, dim): the sum over all positions of a row, at its representative."""
        return tf.math.unsorted_segment_sum(values, self.representatives, tf.shape(values)[0])

    def counts(self) -> Any:
        """(position,) float32: number of positions that read the same row; 0 for padding."""
        ones = tf.cast(self.ids != PADDING_ROW, tf.float32)
        return tf.gather(self.sums(ones), self.representatives)


def distinct_rows(last_position: tf.Variable, ids: Any) -> DistinctRows:
    """Finds the distinct rows of a batch, in time that depends only on the batch size.

    Every position writes its number to the entry of its row and reads the entry back: all positions of a row read the
    same number. (Sorting the ids costs several times as much with XLA.)

    Args:
        last_position: (rows,) float32, a scratch buffer with any content. It holds the numbers as bits, because TensorFlow
            may place int32 variables in host memory if there is a GPU.
        ids: (position,) int32.
    """
    positions = tf.range(tf.size(ids), dtype=tf.int32)
    tf.raw_ops.ResourceScatterUpdate(
        resource=last_position.handle, indices=ids, updates=tf.bitcast(positions, tf.float32)
    )
    representatives = tf.bitcast(tf.gather(last_position, ids), tf.int32)
    return DistinctRows(ids, representatives, tf.where(representatives == positions, ids, PADDING_ROW))
