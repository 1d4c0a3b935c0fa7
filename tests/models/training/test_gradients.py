"""The gradients of the step, by hand."""

import numpy as np
import pytest
import tensorflow as tf

from models.training.gradients import clip_factor, flat, gradients


def test_zeros_where_nothing_connects():
    x, y, z = tf.Variable([1.0, 2.0]), tf.Variable([[5.0]]), tf.constant([3.0])
    with tf.GradientTape() as tape:
        tape.watch(z)
        target = tf.reduce_sum(x * x) * z[0]
    (of_x, of_y), (of_z,) = gradients(tape, target, [x, y], [z])
    assert (of_x.numpy().tolist(), of_y.numpy().tolist(), of_z.numpy().tolist()) == ([6, 12], [[0]], [5])


def test_seed():
    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as tape:
        y = 3.0 * x
    assert gradients(tape, y, [x], seed=tf.constant([1.0, 10.0]))[0][0].numpy().tolist() == [3, 30]


def test_flat():
    assert flat([tf.constant([[1.0, 2.0]]), tf.constant(3.0)]).numpy().tolist() == [1, 2, 3]


@pytest.mark.parametrize(("norm", "factor"), [(6.5, 0.5), (13.0, 1.0), (20.0, 1.0)])
def test_clip_factor_by_hand(norm, factor):
    # The norm of 3, 4 and 12 is 13.
    assert float(clip_factor([tf.constant([[3.0], [4.0]]), tf.constant([12.0])], norm)) == pytest.approx(factor)


@pytest.mark.parametrize(("gradient", "factor"), [(0.0, 1.0), (np.inf, 1.0), (np.nan, 1.0)])
def test_clip_factor_at_the_ends(gradient, factor):
    assert float(clip_factor([tf.constant([gradient])], 1.0)) == factor
