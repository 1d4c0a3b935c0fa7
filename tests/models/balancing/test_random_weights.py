import keras
import numpy as np

from models.balancing.evidence import Evidence
from models.balancing.random_weights import RandomWeights

EVIDENCE = Evidence(losses=np.float32([1, 2, 3]), observed=np.array([True, True, False]))


def draws(tasks, weights, count, seed=3):
    keras.utils.set_random_seed(seed)
    balancer = RandomWeights(tasks, weights)
    return np.stack([balancer(evidence=EVIDENCE) for _ in range(count)])


def test_a_softmax_of_normal_draws():
    """The differences of the logarithms are differences of standard normal draws: mean 0, variance 2."""
    seen = draws(("a", "b", "c"), (1.0, 1.0, 1.0), 800)
    np.testing.assert_allclose(seen.sum(axis=1), 3, rtol=1e-5)
    np.testing.assert_allclose(seen.mean(axis=0), 1, atol=0.1)
    difference = np.log(seen[:, 0] / seen[:, 1])
    np.testing.assert_allclose([difference.mean(), difference.var()], [0, 2], atol=0.25)
    assert abs(np.corrcoef(seen[1:, 0], seen[:-1, 0])[0, 1]) < 0.15  # drawn anew in every step


def test_by_seed_whatever_the_order_of_the_tasks():
    one = draws(("a", "b", "c"), (1.0, 2.0, 3.0), 3)
    np.testing.assert_allclose(draws(("c", "a", "b"), (3.0, 1.0, 2.0), 3), one[:, [2, 0, 1]], rtol=1e-6)
    assert not np.allclose(draws(("a", "b", "c"), (1.0, 2.0, 3.0), 3, seed=4), one)
