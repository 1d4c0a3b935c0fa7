import numpy as np
import pytest
import tensorflow as tf

from models.layers.random_bits import uniform


def drawn(seed, call, shape=(100, 300)):
    return uniform(tf.constant([seed, call], "int64"), shape).numpy()


def test_is_uniform_without_the_ends():
    u = drawn(1, 0)
    assert u.shape == (100, 300) and u.dtype == "float32"
    assert u.min() > 0 and u.max() < 1
    shares = np.histogram(u, bins=10, range=(0, 1))[0] / u.size
    np.testing.assert_allclose(shares, 0.1, atol=4 * np.sqrt(0.09 / u.size))


def test_seeds_calls_and_positions_are_independent():
    first = drawn(1, 0)
    for other in (drawn(2, 0), drawn(1, 1), drawn(0, 1)):
        assert abs(np.corrcoef(first.ravel(), other.ravel())[0, 1]) * np.sqrt(first.size) < 4
    pairs = np.corrcoef(first)[np.triu_indices(100, 1)] * np.sqrt(300)
    assert pairs.std() == pytest.approx(1, abs=0.06)
    np.testing.assert_array_equal(first, drawn(1, 0))


def test_xla_changes_nothing():
    compiled = tf.function(lambda state: uniform(state, (100, 300)), jit_compile=True)
    np.testing.assert_array_equal(compiled(tf.constant([1, 5], "int64")), drawn(1, 5))
