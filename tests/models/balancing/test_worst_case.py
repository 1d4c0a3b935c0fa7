import functools

import balancers
import numpy as np
import pytest
import tensorflow as tf

from models.balancing.evidence import Evidence
from models.balancing.worst_case import WorstCase

made, see = functools.partial(balancers.made, WorstCase), balancers.see


def test_the_largest_weighted_loss_by_hand():
    """w L = (4, 6): all 1 + 3 on b, although a's loss is the larger."""
    balancer = made((1.0, 3.0), smoothness=0.0, reference_steps=0)
    np.testing.assert_allclose(see(balancer, [4.0, 2.0]), [0, 4])


def test_equal_maxima_share_the_step():
    np.testing.assert_allclose(see(made(smoothness=0.0, reference_steps=0), [2.0, 2.0]), [1, 1])


def test_relative_to_the_mean_of_the_first_losses_by_hand():
    """b = (4, 1/2). Then L / b = (1/2, 1): all weight on b, whose loss is the smaller."""
    balancer = made(smoothness=0.0, reference_steps=2)
    see(balancer, [5.0, 0.25])
    see(balancer, [3.0, 0.75])
    np.testing.assert_allclose(see(balancer, [2.0, 0.5]), [0, 2])
    np.testing.assert_array_equal(balancer.reference, [4, 0.5])


@pytest.mark.parametrize("smoothness", [0.05, 1.0])
def test_the_direction_is_the_gradient_of_the_smooth_maximum(smoothness):
    balancer, weights = made((1.0, 0.5, 2.0), smoothness=smoothness, reference_steps=1), np.float32([1, 0.5, 2])
    first, now = np.float32([2.0, 0.1, 7.0]), tf.Variable([1.8, 0.05, 3.0])
    see(balancer, first)
    with tf.GradientTape() as tape:
        top = smoothness * tf.reduce_logsumexp(weights * now / first / smoothness)
    gradient = tape.gradient(top, now).numpy()
    out = see(balancer, now.numpy())
    np.testing.assert_allclose(out / out.sum(), gradient / gradient.sum(), rtol=1e-4)
    assert out.sum() == pytest.approx(3.5)


def test_the_losses_unit_does_not_matter():
    """The pulls v_t L_t keep their proportion."""
    one, other = made(reference_steps=1), made(reference_steps=1)
    for losses in ([2.0, 3.0], [1.5, 2.0]):
        first, second = see(one, losses) * losses, see(other, np.multiply(losses, [1.0, 1000.0])) * losses * [1, 1000]
    np.testing.assert_allclose(second / second.sum(), first / first.sum(), rtol=1e-5)


@pytest.mark.parametrize("smoothness", [0.0, 0.1])
def test_a_task_without_observations_is_left_out_and_keeps_its_reference(smoothness):
    balancer = made((1.0, 1.0, 2.0), smoothness=smoothness, reference_steps=5)
    balancer.reference.assign([1.0, 1.0, 9.0])
    balancer.batches.assign([5.0, 5.0, 2.0])
    out = see(balancer, [0.5, 1.0, 0.0], [True, True, False])
    assert out[1] > out[0] and out[2] == 0 and out.sum() == pytest.approx(2.0)
    np.testing.assert_array_equal(balancer.reference, [1, 1, 9])
    np.testing.assert_array_equal(balancer.batches, [5, 5, 2])


def test_minimizes_the_maximum_where_the_sum_gives_a_task_up():
    """min over x of max(x^2 + 1, 4 (x - 1)^2): the two are equal at the optimum. The sum's is x = 4/5, with 1.64 and 0.16."""
    x, balancer = tf.Variable(0.8), made(smoothness=0.01, reference_steps=0)
    for _ in range(400):
        with tf.GradientTape() as tape:
            losses = tf.stack([x**2 + 1, 4 * (x - 1) ** 2])
            total = tf.reduce_sum(balancer(evidence=Evidence(losses=losses, observed=np.ones(2, bool))) * losses)
        x.assign_sub(0.003 * tape.gradient(total, x))
    at = (4 - np.sqrt(7)) / 3  # 3 x^2 - 8 x + 3 = 0
    assert float(x) == pytest.approx(at, abs=0.02)
