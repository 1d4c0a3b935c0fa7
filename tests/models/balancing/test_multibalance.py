from __future__ import annotations

import functools

import balancers
import numpy as np

from models.balancing.evidence import Evidence
from models.balancing.multibalance import MultiBalance

made = functools.partial(balancers.made, MultiBalance)


def combine(balancer: MultiBalance, gradients, observed=None) -> np.ndarray:
    gradients = np.float32(gradients)
    observed = np.ones(len(gradients), bool) if observed is None else np.array(observed)
    losses = np.ones(len(gradients), "float32")
    return np.asarray(balancer.combine(Evidence(losses=losses, observed=observed, gradients=gradients)))


def lambdas(balancer: MultiBalance) -> np.ndarray:
    return np.asarray(balancer.shares) / len(balancer.tasks)


def test_by_hand() -> None:
    """C = [[1, 0.8], [0.8, 1]]; from (1, 1) / 2 both fall by 0.1 * 1.8 * 0.55, which P takes back: twice (v_1 + v_2) / 2."""
    balancer = made(step_size=0.1)
    np.testing.assert_allclose(combine(balancer, [[3, 4], [0, 0.5]]), [3, 4.5], rtol=1e-6)
    np.testing.assert_allclose(lambdas(balancer), [0.5, 0.5], rtol=1e-6)
    # From (0.75, 0.25) with prior 0: C lambda = (0.95, 0.85), lambda = (0.655, 0.165) and 0.09 more each.
    balancer = made(step_size=0.1, prior=0.0)
    balancer.shares.assign([1.5, 0.5])
    np.testing.assert_allclose(
        combine(balancer, [[3, 4], [0, 0.5]]), 2 * np.array([0.745 * 3, 0.745 * 4 + 0.255 * 0.5]), rtol=1e-5
    )
    np.testing.assert_allclose(lambdas(balancer), [0.745, 0.255], rtol=1e-5)


def test_against_the_algorithm_in_loops() -> None:
    rng, tasks = np.random.default_rng(0), 3
    balancer = made((1.0,) * tasks, decay=0.8, step_size=0.3, prior=0.1)
    means, shares = np.zeros(tasks), np.full(tasks, 1 / tasks)
    for step in range(1, 7):
        gradients = rng.normal(size=(tasks, 5)) * [[1], [1000], [0.1]]
        sizes = [np.linalg.norm(gradient) for gradient in gradients]
        units = [gradient / size for gradient, size in zip(gradients, sizes, strict=True)]
        means = [0.8 * mean + 0.2 * size for mean, size in zip(means, sizes, strict=True)]
        slope = [sum(one @ units[s] * (shares[s] + 0.1 / tasks) for s in range(tasks)) for one in units]
        shares = nearest(shares - 0.3 * np.array(slope))
        expected = sum(
            tasks * share * mean / (1 - 0.8**step) * unit
            for share, mean, unit in zip(shares, means, units, strict=True)
        )
        np.testing.assert_allclose(combine(balancer, gradients), expected, rtol=2e-3, atol=1e-2)
        np.testing.assert_allclose(lambdas(balancer), shares, atol=1e-4)


def nearest(values: np.ndarray) -> np.ndarray:
    """The projection onto the simplex, by bisection."""
    low, high = values.min() - 1, values.max()
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if np.maximum(values - middle, 0).sum() > 1 else (low, middle)
    return np.maximum(values - low, 0)


def test_an_outlier_keeps_the_usual_size() -> None:
    """A gradient a thousand times as large counts as 0.99 of its mean and a hundredth of itself."""
    balancer = made(decay=0.99)
    balancer.means.assign([1.0, 1.0])
    balancer.updates.assign([1e4, 1e4])
    found = combine(balancer, [[1000, 0], [0, 1]])
    np.testing.assert_allclose(found, [0.99 + 10, 1.0], rtol=1e-4)


def test_settles_at_the_shortest_combination_of_the_directions() -> None:
    """Of (1, 0), (0.8, 0.6) and (-0.6, 0.8) without a prior: the first and the last share; the second between them has nothing."""
    balancer = made((1.0,) * 3, step_size=0.5, prior=0.0)
    gradients = np.array([[1, 0], [0.8, 0.6], [-0.6, 0.8]])
    for _ in range(300):
        direction = combine(balancer, gradients)
    np.testing.assert_allclose(lambdas(balancer), [0.5, 0.0, 0.5], atol=1e-4)
    assert (gradients @ direction > 0).all()


def test_opposed_gradients_cancel_and_equal_ones_keep_their_sum() -> None:
    np.testing.assert_allclose(combine(made(), [[1, 0], [-1, 0]]), [0, 0], atol=1e-6)
    np.testing.assert_allclose(combine(made(), [[2, 1], [2, 1]]), [4, 2], rtol=1e-6)


def test_the_unit_of_a_loss_changes_no_lambda() -> None:
    rng, one, other = np.random.default_rng(1), made(), made()
    for _ in range(5):
        gradients = rng.normal(size=(2, 6))
        combine(one, gradients)
        combine(other, gradients * [[1], [1000]])
    np.testing.assert_allclose(lambdas(one), lambdas(other), rtol=1e-5)


def test_a_task_without_observations_keeps_its_state() -> None:
    balancer = made()
    combine(balancer, [[1, 0], [0.6, 0.8]])
    before = lambdas(balancer)
    np.testing.assert_allclose(combine(balancer, [[1, 0], [0, 0]], [True, False]), [1, 0], rtol=1e-5)
    np.testing.assert_allclose(lambdas(balancer), before, rtol=1e-6)
    np.testing.assert_array_equal(balancer.updates, [2, 1])
