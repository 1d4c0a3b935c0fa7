import numpy as np
import pytest
import tensorflow as tf

from models.balancing.evidence import Evidence
from models.balancing.imtl_l import IMTLL
from models.balancing.uncertainty import Uncertainty


def objective(kind, weights, at, losses, observed=None):
    balancer = kind(("a", "b")[: len(weights)], weights)
    balancer.build()
    balancer.trainable_variables[0].assign(at)
    losses = tf.constant(losses, "float32")
    observed = tf.ones(losses.shape, bool) if observed is None else tf.constant(observed)
    with tf.GradientTape() as tape:
        weights = balancer(evidence=Evidence(losses=losses, observed=observed))
        total = tf.reduce_sum(weights * losses) + tf.add_n(balancer.losses)
    return float(total), tape.gradient(total, balancer.trainable_variables)[0].numpy(), np.asarray(weights)


def test_by_hand():
    """1 (4 * 0.5 - log 4) + 3 (0.5 * 8 + log 2); d/ds = w (exp(s) L - 1)."""
    total, gradient, weights = objective(IMTLL, (1.0, 3.0), [np.log(4.0), -np.log(2.0)], [0.5, 8.0])
    np.testing.assert_allclose(weights, [4.0, 1.5], rtol=1e-6)
    assert total == pytest.approx(2 - np.log(4) + 3 * (4 + np.log(2)), rel=1e-6)
    np.testing.assert_allclose(gradient, [2 - 1, 3 * (4 - 1)], rtol=1e-5)


def test_rests_where_the_scaled_loss_is_1():
    _, gradient, _ = objective(IMTLL, (1.0,), [-np.log(0.7)], [0.7])
    np.testing.assert_allclose(gradient, [0.0], atol=1e-6)


def test_twice_the_objective_of_uncertainty_up_to_a_constant():
    log_variance, losses = np.float32([0.4, -1.3]), [0.7, 3.0]
    ours, of_ours, scale = objective(IMTLL, (1.0, 3.0), np.log(2) - log_variance, losses)
    its, of_its, inverse = objective(Uncertainty, (1.0, 3.0), log_variance, losses)
    assert ours == pytest.approx(2 * its - 4 * np.log(2), rel=1e-5)
    np.testing.assert_allclose(of_ours, -2 * of_its, rtol=1e-5)
    np.testing.assert_allclose(scale, 2 * inverse, rtol=1e-5)


def test_a_task_without_observations_keeps_its_scale():
    _, gradient, _ = objective(IMTLL, (1.0, 1.0), [0.5, 0.5], [2.0, 0.0], [True, False])
    assert gradient[0] != 0
    assert gradient[1] == 0


def test_weights_stay_finite():
    _, _, weights = objective(IMTLL, (1.0,), [1000.0], [1.0])
    np.testing.assert_allclose(weights, [np.exp(10.0)], rtol=1e-4)
