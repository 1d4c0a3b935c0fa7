"""The distinct rows of a batch, by hand and against NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from models.embedding_optimizers.distinct_rows import distinct_rows


def scratch(rows, seed=0):
    """What an earlier batch left behind."""
    return tf.Variable(tf.bitcast(tf.constant(np.random.default_rng(seed).integers(0, 99, rows), tf.int32), tf.float32))


def test_by_hand():
    rows = distinct_rows(scratch(9), tf.constant([7, 4, 7, 0, 0]))
    # Which of two positions represents row 7 is left open; all of them agree on it.
    first = int(rows.representatives[0])
    assert first in (0, 2)
    assert rows.representatives.numpy()[[1, 2]].tolist() == [1, first]
    targets = [0, 4, 0, 0, 0]
    targets[first] = 7
    assert rows.targets.numpy().tolist() == targets
    sums = rows.sums(tf.constant([[1.0, 2.0], [5.0, 5.0], [10.0, 20.0], [0.0, 0.0], [0.0, 0.0]])).numpy()
    assert sums[first].tolist() == [11, 22] and sums[1].tolist() == [5, 5]
    assert sums.sum() == 1 + 2 + 5 + 5 + 10 + 20
    assert rows.counts().numpy().tolist() == [2, 1, 2, 0, 0]


@pytest.mark.parametrize("jit_compile", [False, True])
def test_against_unique(jit_compile):
    random = np.random.default_rng(3)
    ids, values = random.integers(0, 50, 300), random.integers(-9, 9, (300, 2)).astype("float32")
    values[ids == 0] = 0
    variable = scratch(50)

    @tf.function(jit_compile=jit_compile)
    def run(ids, values):
        rows = distinct_rows(variable, ids)
        return rows.targets, rows.sums(values), rows.counts()

    for _ in range(2):  # what the first left in the scratch changes nothing
        targets, sums, counts = (array.numpy() for array in run(tf.constant(ids, tf.int32), tf.constant(values)))
        assert sorted(targets[targets > 0]) == sorted(set(ids) - {0})
        expected = np.zeros((50, 2))
        np.add.at(expected, ids, values)
        found = np.zeros((50, 2))
        np.add.at(found, targets, sums)
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(counts, np.where(ids > 0, np.bincount(ids)[ids], 0))
