import numpy as np
import pytest
import tensorflow as tf

from models.balancing.evidence import Evidence
from models.balancing.uncertainty import Uncertainty


def evidence(losses, observed=None):
    losses = tf.constant(losses, "float32")
    return Evidence(losses=losses, observed=tf.ones(losses.shape, bool) if observed is None else tf.constant(observed))


def objective(balancer, losses, observed=None):
    losses = tf.constant(losses)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(balancer(evidence=evidence(losses, observed)) * losses) + tf.add_n(balancer.losses)
    return float(total), tape.gradient(total, balancer.trainable_variables)[0].numpy()


def made(weights, log_variance):
    balancer = Uncertainty(("a", "b")[: len(weights)], weights)
    balancer.build()
    balancer.log_variance.assign(log_variance)
    return balancer


def test_by_hand():
    balancer = made((1.0, 3.0), [np.log(4.0), -np.log(2.0)])
    np.testing.assert_allclose(balancer(evidence=evidence([1.0, 1.0])), [0.25, 6.0], rtol=1e-6)
    total, gradient = objective(balancer, [8.0, 0.5])
    # 1 * (8/4 + log(4)/2) + 3 * (2 * 0.5 - log(2)/2); d/ds = w (1/2 - exp(-s) L)
    assert total == pytest.approx(2 + np.log(4) / 2 + 3 * (1 - np.log(2) / 2), rel=1e-6)
    np.testing.assert_allclose(gradient, [0.5 - 2.0, 3 * (0.5 - 1.0)], rtol=1e-6)


def test_rests_where_the_weight_is_1_over_2_losses():
    balancer = made((1.0,), [np.log(2 * 0.7)])
    _, gradient = objective(balancer, [0.7])
    np.testing.assert_allclose(gradient, [0.0], atol=1e-6)


def test_the_papers_regression_is_the_same_up_to_a_constant():
    """L / (2 sigma^2) + log sigma at s is this objective at s + log 2, less log(2) / 2."""
    s, loss = 0.3, 1.7
    ours, _ = objective(made((1.0,), [s + np.log(2.0)]), [loss])
    assert ours - np.log(2) / 2 == pytest.approx(loss / (2 * np.exp(s)) + np.log(np.exp(s / 2)), rel=1e-5)


def test_a_task_without_observations_keeps_its_variance():
    _, gradient = objective(made((1.0, 1.0), [0.5, 0.5]), [2.0, 0.0], [True, False])
    assert gradient[0] != 0
    assert gradient[1] == 0


def test_an_observed_loss_of_0_is_a_loss():
    _, gradient = objective(made((1.0, 1.0), [0.5, 0.5]), [2.0, 0.0])
    np.testing.assert_allclose(gradient, [0.5 - 2 * np.exp(-0.5), 0.5], rtol=1e-6)


def test_weights_stay_finite():
    assert float(made((1.0,), [-1000.0])(evidence=evidence([1.0]))[0]) == pytest.approx(np.exp(10.0), rel=1e-4)
