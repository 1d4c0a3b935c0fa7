"""DistinctRows: which rows of a table a batch reads, each once, without sorting."""

from __future__ import annotations

import dataclasses
from typing import Any

import tensorflow as tf

from models.layers.fused_tables import PADDING_ROW


@dataclasses.dataclass(frozen=True)
class DistinctRows:
    """The positions of a batch and the rows they read.

    One of the positions that read a row represents it: row ids 7 4 7 padding, positions 0 1 2 3: 2 represents row 7.

    Attributes:
        ids: (position,) the row that each position reads; PADDING_ROW for padding.
        representatives: (position,) the position that represents the row.
        targets: (position,) the row that a position represents; PADDING_ROW for one that represents none.
    """

    ids: Any
    representatives: Any
    targets: Any

    def sums(self, values: Any) -> Any:
        """(position, dim) -> (position, dim): the sum over all positions of a row, where its representative stands."""
        return tf.math.unsorted_segment_sum(values, self.representatives, tf.shape(values)[0])

    def counts(self) -> Any:
        """(position,) float32: how many positions read the row that this one reads; 0 for padding."""
        ones = tf.cast(self.ids != PADDING_ROW, tf.float32)
        return tf.gather(self.sums(ones), self.representatives)


def distinct_rows(last_position: tf.Variable, ids: Any) -> DistinctRows:
    """The distinct rows of a batch, in time that grows with the batch only.

    Every position writes its number to the place of its row, and reads back what stands there: one and the same of the
    numbers for all positions of a row. (Sorting the ids costs several times as much under XLA.)

    Args:
        last_position: (rows,) float32, scratch: what it holds before does not matter. The numbers stand in it as bits,
            because TensorFlow may keep int32 variables in the host's memory beside a GPU.
        ids: (position,) int32.
    """
    positions = tf.range(tf.size(ids), dtype=tf.int32)
    tf.raw_ops.ResourceScatterUpdate(
        resource=last_position.handle, indices=ids, updates=tf.bitcast(positions, tf.float32)
    )
    representatives = tf.bitcast(tf.gather(last_position, ids), tf.int32)
    return DistinctRows(ids, representatives, tf.where(representatives == positions, ids, PADDING_ROW))
