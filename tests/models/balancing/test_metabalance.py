import functools

import balancers
import numpy as np
import pytest

from models.balancing.evidence import Evidence
from models.balancing.metabalance import MetaBalance

# |g_a| = 5, |g_b| = 1
GRADIENTS = np.float32([[3, 4], [0, 1]])


made = functools.partial(balancers.made, MetaBalance)


def combine(balancer, gradients, observed=None):
    """With the recipe's weights in the gradients, as the training step gives them."""
    weighted = np.float32(gradients) * np.float32(balancer.task_weights)[:, None]
    observed = np.ones(len(gradients), bool) if observed is None else np.array(observed)
    losses = np.ones(len(gradients), "float32")
    return np.asarray(balancer.combine(Evidence(losses=losses, observed=observed, gradients=weighted)))


def test_by_hand():
    """b's factor is 0.5 * 5 / 1 + 0.5 = 3: (3, 4) + 3 (0, 1)."""
    np.testing.assert_allclose(combine(made(relax=0.5), GRADIENTS), [3, 7], rtol=1e-6)
    np.testing.assert_allclose(combine(made(relax=0.0), GRADIENTS), [3, 5], rtol=1e-6)


def test_the_named_target_by_hand():
    """a's factor is 1 / 5: (3, 4) / 5 + (0, 1)."""
    np.testing.assert_allclose(combine(made(target="b", relax=1.0), GRADIENTS), [0.6, 1.8], rtol=1e-6)
    with pytest.raises(ValueError, match="target 'c' is none of the tasks"):
        made(target="c")


def test_the_ratio_does_not_cancel_the_recipes_weights():
    """The target is b, of the larger weight: its gradient is 3 (0, 1), and a's has the size 1 of one of weight 1."""
    np.testing.assert_allclose(combine(made((1.0, 3.0), relax=1.0), GRADIENTS), [0.6, 3.8], rtol=1e-6)


def test_running_means_against_the_authors_update():
    rng, means = np.random.default_rng(0), np.zeros(3)
    balancer = made((1.0, 1.0, 1.0), relax=0.7, decay=0.8)
    for _ in range(5):
        gradients = rng.normal(size=(3, 6)) * [[1], [10], [0.1]]
        means = 0.8 * means + 0.2 * np.linalg.norm(gradients, axis=1)
        expected = sum(g * (0.7 * means[0] / m + 0.3) for g, m in zip(gradients, means, strict=True))
        np.testing.assert_allclose(combine(balancer, gradients), expected, rtol=1e-4, atol=1e-5)


def test_a_task_without_observations_keeps_its_mean():
    """Also the target: the others keep following its size."""
    balancer = made(relax=1.0)
    combine(balancer, GRADIENTS)
    np.testing.assert_allclose(combine(balancer, [[0, 0], [0, 1]], [False, True]), [0, 5], rtol=1e-5)
    np.testing.assert_array_equal(balancer.updates, [1, 2])


def test_no_scaling_until_the_target_is_known():
    np.testing.assert_allclose(combine(made(relax=1.0), [[0, 0], [0, 2]], [False, True]), [0, 2], rtol=1e-6)
