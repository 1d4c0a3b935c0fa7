"""RowCounts by hand."""

import tensorflow as tf

from models.embedding_optimizers.distinct_rows import distinct_rows
from models.training.row_counts import RowCounts


def test_by_hand():
    counts, scratch = RowCounts(), tf.Variable(tf.zeros(6))
    counts.build([6])
    shares, so_far = counts.add(0, distinct_rows(scratch, tf.constant([3, 5, 3, 0])))
    assert (shares.numpy().tolist(), so_far.numpy().tolist()) == ([0.5, 1, 0.5, 0], [2, 1, 2, 1])
    shares, so_far = counts.add(0, distinct_rows(scratch, tf.constant([3, 0, 0, 0])))
    assert (shares.numpy().tolist(), so_far.numpy().tolist()) == ([1, 0, 0, 0], [3, 1, 1, 1])
    assert counts.totals[0].numpy().tolist() == [0, 0, 0, 3, 0, 1]
    assert not counts.trainable_variables
