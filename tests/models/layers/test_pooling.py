import numpy as np
import pytest
import tensorflow as tf

from models.layers.pooling import POOLINGS, pooled

TABLE = np.array([[9.0, -9.0], [1.0, -2.0], [3.0, 4.0], [5.0, -6.0]], "float32")


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        # rows 1, 3 and padding; row 2 twice; the missing id 0 alone; nothing
        ("sum", [[6, -8], [6, 8], [9, -9], [0, 0]]),
        ("mean", [[3, -4], [3, 4], [9, -9], [0, 0]]),
        ("max", [[5, -2], [3, 4], [9, -9], [0, 0]]),
        ("sqrtn", [[6 / 2**0.5, -8 / 2**0.5], [6 / 2**0.5, 8 / 2**0.5], [9, -9], [0, 0]]),
    ],
)
def test_pooling_by_hand(how, expected):
    ids = np.array([[1, -1, 3], [2, 2, -1], [0, -1, -1], [-1, -1, -1]], "int32")
    np.testing.assert_allclose(pooled(TABLE[ids], ids >= 0, how), expected, rtol=1e-6)


@pytest.mark.parametrize("how", POOLINGS)
def test_padding_gets_no_gradient(how):
    rows = tf.constant(TABLE[None, :3])
    with tf.GradientTape() as tape:
        tape.watch(rows)
        out = tf.reduce_sum(pooled(rows, tf.constant([[True, False, False]]), how))
    np.testing.assert_array_equal(tape.gradient(out, rows), [[[1, 1], [0, 0], [0, 0]]])


@pytest.mark.parametrize("how", POOLINGS)
def test_an_empty_list_moves_nothing(how):
    rows = tf.constant(TABLE[None, :3])
    with tf.GradientTape() as tape:
        tape.watch(rows)
        out = pooled(rows, tf.constant([[False, False, False]]), how)
    np.testing.assert_array_equal(out, [[0, 0]])
    np.testing.assert_array_equal(tape.gradient(out, rows), np.zeros((1, 3, 2)))
