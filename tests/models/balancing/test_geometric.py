import numpy as np
import pytest
import tensorflow as tf

from models.balancing.evidence import Evidence
from models.balancing.geometric import Geometric


def weights(losses, fixed, observed=None):
    losses = np.float32(losses)
    observed = np.ones(len(losses), bool) if observed is None else np.array(observed)
    evidence = Evidence(losses=losses, observed=observed)
    return np.asarray(Geometric(("a", "b", "c")[: len(losses)], fixed)(evidence=evidence))


def test_by_hand():
    """G = sqrt(4 * 9) = 6: 6/4 and 6/9. With the weights 1 and 3, G = (16 * 1)^(1/4) = 2: 2/16 and 3 * 2/1."""
    np.testing.assert_allclose(weights([4.0, 9.0], (1.0, 1.0)), [1.5, 2 / 3], rtol=1e-6)
    np.testing.assert_allclose(weights([16.0, 1.0], (1.0, 3.0)), [0.125, 6.0], rtol=1e-6)


def test_the_gradient_of_the_geometric_mean():
    """Through the training step's sum of weighted losses, by differentiation."""
    balancer, x = Geometric(("a", "b", "c"), (1.0, 0.5, 2.0)), tf.Variable([0.3, 1.7])
    with tf.GradientTape(persistent=True) as tape:
        losses = tf.stack([x[0] ** 2 + 0.1, tf.exp(x[1]) * x[0], tf.reduce_sum(x)])
        total = tf.reduce_sum(balancer(evidence=Evidence(losses=losses, observed=tf.ones(3, bool))) * losses)
        mean = 3.5 * (losses[0] * losses[1] ** 0.5 * losses[2] ** 2.0) ** (1 / 3.5)
    np.testing.assert_allclose(tape.gradient(total, x), tape.gradient(mean, x), rtol=1e-5)


def test_scaling_a_loss_keeps_the_direction():
    """The pull of a task, v_t grad L_t, in proportion to those of the others."""
    one, other = weights([4.0, 9.0], (1.0, 1.0)), weights([4000.0, 9.0], (1.0, 1.0)) * [1000.0, 1.0]
    np.testing.assert_allclose(other / other.sum(), one / one.sum(), rtol=1e-5)


@pytest.mark.parametrize("loss", [0.0, 5.0])
def test_a_task_without_observations_is_left_out(loss):
    seen = weights([4.0, loss, 9.0], (1.0, 1.0, 1.0), [True, False, True])
    np.testing.assert_allclose(seen, [1.5, 0, 2 / 3], rtol=1e-6)


def test_a_loss_that_is_not_finite_leaves_the_others_alone():
    np.testing.assert_allclose(weights([4.0, np.nan, 9.0], (1.0, 1.0, 1.0)), [1.5, 0, 2 / 3], rtol=1e-6)


def test_a_loss_of_0_is_finite():
    np.testing.assert_allclose(weights([0.0, 1.0], (1.0, 1.0)), [1e4, 1e-4], rtol=1e-4)
