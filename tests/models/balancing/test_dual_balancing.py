import numpy as np
import pytest

from models.balancing.dual_balancing import DualBalancing
from models.balancing.evidence import Evidence


def combine(gradients, losses, weights=None, observed=None):
    """With the recipe's weights in the gradients, as the training step gives them."""
    weights = (1.0,) * len(losses) if weights is None else weights
    balancer = DualBalancing(("a", "b", "c")[: len(losses)], weights)
    weighted = np.float32(gradients) * np.float32(weights)[:, None]
    observed = np.ones(len(losses), bool) if observed is None else np.array(observed)
    return np.asarray(balancer.combine(Evidence(losses=np.float32(losses), observed=observed, gradients=weighted)))


def test_by_hand():
    """|g| = (5, 1), |g| / L = (0.5, 2): b is the fastest, so both get the size 1. With L = (1, 1) a is, and both get 5."""
    np.testing.assert_allclose(combine([[3, 4], [0, 1]], [10.0, 0.5]), [0.6, 1.8], rtol=1e-6)
    np.testing.assert_allclose(combine([[3, 4], [0, 1]], [1.0, 1.0]), [3, 9], rtol=1e-6)
    np.testing.assert_allclose(combine([[3, 4], [0, 1]], [10.0, 0.5], (1.0, 3.0)), [0.6, 3.8], rtol=1e-6)


def test_against_the_authors_update():
    """Without the running mean, in the unit of the fastest task's loss."""
    rng = np.random.default_rng(0)
    gradients, losses = rng.normal(size=(3, 6)) * [[1], [1000], [0.1]], np.array([0.3, 700.0, 0.02])
    of_logs = gradients / losses[:, None]
    norms = np.linalg.norm(of_logs, axis=1)
    expected = losses[norms.argmax()] * (norms.max() / norms) @ of_logs
    np.testing.assert_allclose(combine(gradients, losses), expected, rtol=1e-4)


def test_scaling_a_loss_keeps_the_direction():
    gradients, losses = np.array([[3.0, 4], [-2, 1]]), np.array([0.2, 5.0])
    one, other = combine(gradients, losses), combine(gradients * [[1000], [1]], losses * [1000, 1])
    np.testing.assert_allclose(other / np.linalg.norm(other), one / np.linalg.norm(one), rtol=1e-5)


@pytest.mark.parametrize("loss", [0.0, 1e-9])
def test_a_task_without_a_gradient_or_observations_adds_nothing(loss):
    for observed in ([True, False, True], [True, True, True]):
        out = combine([[3, 4], [0, 0], [0, 1]], [10.0, loss, 0.5], observed=observed)
        np.testing.assert_allclose(out, [0.6, 1.8], rtol=1e-6)


def test_opposed_gradients_of_different_size_cancel():
    np.testing.assert_allclose(combine([[1, 0], [-1000, 0]], [1.0, 1.0]), [0, 0], atol=1e-4)
