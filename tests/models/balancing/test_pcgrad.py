import itertools

import keras
import numpy as np
import pytest

from models.balancing.evidence import Evidence
from models.balancing.pcgrad import PCGrad, project


def reference(gradients, order):
    """The paper's algorithm 1, vector by vector."""
    total = np.zeros(gradients.shape[1])
    for i, gradient in enumerate(gradients):
        projected = gradient.copy()
        for j in order[i]:
            if j != i and projected @ gradients[j] < 0:
                projected -= projected @ gradients[j] / (gradients[j] @ gradients[j]) * gradients[j]
        total += projected
    return total


def combine(balancer, gradients):
    losses = np.ones(len(gradients), "float32")
    return balancer.combine(Evidence(losses=losses, observed=losses > 0, gradients=np.float32(gradients)))


def test_two_conflicting_vectors_by_hand():
    # g1 = (1, 0), g2 = (-1, 1): g1.g2 = -1. g1' = (1,0) + 1/2 (-1,1) = (1/2, 1/2); g2' = (-1,1) + (1,0) = (0, 1)
    out = combine(PCGrad(("a", "b"), (1.0, 1.0)), [[1, 0], [-1, 1]])
    np.testing.assert_allclose(out, [0.5, 1.5], rtol=1e-6)


def test_agreeing_vectors_are_summed():
    out = combine(PCGrad(("a", "b"), (1.0, 1.0)), [[1, 0], [1, 1]])
    np.testing.assert_allclose(out, [2, 1])


@pytest.mark.parametrize("seed", range(4))
def test_against_the_paper(seed):
    rng = np.random.default_rng(seed)
    gradients = rng.normal(size=(4, 6))
    gradients[3] = -gradients[0] + 0.1 * gradients[3]
    order = np.array([rng.permutation(4) for _ in range(4)])
    out = project(gradients.astype("float32"), order.astype("int32"))
    np.testing.assert_allclose(out, reference(gradients, order), rtol=1e-4, atol=1e-4)


def test_all_orders_come_up_and_each_is_valid():
    keras.utils.set_random_seed(1)
    gradients = np.float32([[1, 0, 0.2], [-1, 0.5, 0], [-0.5, -1, 0.3]])
    orders = list(itertools.permutations(range(3)))
    possible = {tuple(np.round(reference(gradients, order), 4)) for order in itertools.product(orders, repeat=3)}
    balancer = PCGrad(("a", "b", "c"), (1.0, 1.0, 1.0))
    seen = {tuple(np.round(np.asarray(combine(balancer, gradients)), 4)) for _ in range(60)}

    def near(one, other):
        return np.abs(np.subtract(one, other)).max() < 1e-3

    assert all(any(near(one, other) for other in possible) for one in seen)
    assert all(any(near(one, other) for other in seen) for one in possible)
    assert len(possible) > 1


def test_opposite_and_zero_gradients_are_finite():
    out = combine(PCGrad(("a", "b", "c"), (1.0, 1.0, 1.0)), [[1, 2], [-1, -2], [0, 0]])
    np.testing.assert_allclose(out, [0, 0], atol=1e-6)
