import itertools

import numpy as np
import pytest
import tensorflow as tf

from models.layers.task_norms import (
    TASK_NORMS,
    mean_distance,
    mean_squared_distance,
    squared_distance_to_mean,
    trace_norm,
)


def stack(*rows):
    return tf.constant(rows, "float32")


def gradient(norm, weights):
    with tf.GradientTape() as tape:
        tape.watch(weights)
        value = norm(weights)
    return tape.gradient(value, weights).numpy()


def test_squared_distance_by_hand():
    # |(1,2) - (4,6)|^2 = 25
    assert float(mean_squared_distance(stack([1, 2], [4, 6]))) == pytest.approx(25.0)
    # pairs: 1, 9, 4 -> mean 14/3
    assert float(mean_squared_distance(stack([0], [1], [3]))) == pytest.approx(14 / 3)
    # mean 4/3: 16/9 + 1/9 + 25/9
    assert float(squared_distance_to_mean(stack([0], [1], [3]))) == pytest.approx(42 / 9)


def test_distance_by_hand():
    # pairs: 5, 10, 5 -> mean 20/3
    weights = stack([1, 2], [4, 6], [7, 10])
    assert float(mean_distance(weights)) == pytest.approx(20 / 3)
    # The middle task is drawn to both sides alike; the first towards the others, twice 1/3 of the unit vector (3, 4) / 5.
    np.testing.assert_allclose(
        gradient(mean_distance, weights), np.float32([[-0.4, -1.6 / 3], [0, 0], [0.4, 1.6 / 3]]), atol=1e-6
    )


def test_equal_tasks_have_no_distance_and_no_gradient():
    np.testing.assert_array_equal(gradient(mean_distance, stack([1, 2], [1, 2])), 0.0)


def test_trace_norm_by_hand():
    # Orthogonal rows of lengths 3 and 4; and rank one: the Frobenius norm, 5.
    assert float(trace_norm(stack([3, 0], [0, 4]))) == pytest.approx(7.0, rel=1e-3)
    assert float(trace_norm(stack([1, 2], [2, 4]))) == pytest.approx(5.0, rel=1.5e-3)


def test_trace_norm_and_its_gradient_against_singular_values():
    weights = np.random.default_rng(0).normal(size=(3, 2, 4)).astype("float32")
    u, s, v = np.linalg.svd(weights.reshape(3, 8), full_matrices=False)
    assert float(trace_norm(tf.constant(weights))) == pytest.approx(s.sum(), rel=1e-3)
    np.testing.assert_allclose(gradient(trace_norm, tf.constant(weights)).reshape(3, 8), u @ v, atol=2e-3)


@pytest.mark.parametrize("rows", [((0.0, 0.0), (0.0, 0.0)), ((1.0, 0.0), (0.0, 1.0)), ((1.0, 1.0), (1.0, 1.0))])
@pytest.mark.parametrize("norm", TASK_NORMS)
def test_gradients_are_finite_at_zeros_and_equal_singular_values(norm, rows):
    assert np.isfinite(gradient(TASK_NORMS[norm], stack(*rows))).all()


@pytest.mark.parametrize("norm", TASK_NORMS)
def test_one_task_and_the_order_of_tasks(norm):
    assert np.isfinite(float(TASK_NORMS[norm](stack([1.0, 2.0]))))
    weights = np.random.default_rng(1).normal(size=(3, 5)).astype("float32")
    values = [float(TASK_NORMS[norm](tf.constant(weights[list(order)]))) for order in itertools.permutations(range(3))]
    np.testing.assert_allclose(values, values[0], rtol=1e-4)


def test_low_rank_is_recovered():
    """Four tasks of one common direction, seen with noise: the trace norm leaves one singular value, and it is the planted."""
    rng = np.random.default_rng(2)
    planted = np.outer([1.0, -1.0, 2.0, 0.5], rng.normal(size=12))
    seen = tf.constant(planted + 0.1 * rng.normal(size=planted.shape), "float32")
    weights = tf.Variable(seen)
    for _ in range(100):
        with tf.GradientTape() as tape:
            loss = 0.5 * tf.reduce_sum((weights - seen) ** 2) + 0.6 * trace_norm(weights.value())
        weights.assign_sub(0.1 * tape.gradient(loss, weights))
    before, after = np.linalg.svd(seen.numpy())[1], np.linalg.svd(weights.numpy())[1]
    assert before[1] > 0.3
    assert after[1] < 0.05
    assert after[0] == pytest.approx(before[0] - 0.6, abs=0.05)
