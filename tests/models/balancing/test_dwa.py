import functools

import balancers
import numpy as np

from models.balancing.dwa import DWA

made, see = functools.partial(balancers.made, DWA), balancers.see


def test_two_windows_by_hand():
    """Means of a: 4, then 2, so r = 1/2. Means of b: 1, then 1, so r = 1."""
    balancer = made((1.0, 3.0), window=2, temperature=0.5)
    for losses in ([5.0, 1.0], [3.0, 1.0], [2.0, 0.5], [2.0, 1.5]):
        np.testing.assert_allclose(see(balancer, losses), [1, 3], rtol=1e-6)
    v = 2 * np.exp([1, 2]) / np.exp([1, 2]).sum()
    np.testing.assert_allclose(see(balancer, [9.0, 9.0]), v * [1, 3], rtol=1e-6)


def test_a_third_window_replaces_the_first():
    balancer = made(window=1, temperature=1.0)
    for losses in ([8.0, 3.0], [4.0, 3.0], [1.0, 6.0]):
        see(balancer, losses)
    ratios = np.array([1 / 4, 2])
    np.testing.assert_allclose(see(balancer, [1.0, 1.0]), 2 * np.exp(ratios) / np.exp(ratios).sum(), rtol=1e-6)


def test_a_task_has_windows_of_its_own_batches():
    balancer = made(window=2)
    for losses, observed in (([4.0, 0.0], [True, False]), ([2.0, 6.0], [True, True]), ([1.0, 2.0], [True, True])):
        see(balancer, losses, observed)
    np.testing.assert_array_equal(balancer.last, [3, 4])
    np.testing.assert_array_equal(balancer.batches, [1, 0])


def test_a_loss_that_is_not_finite_is_excluded():
    balancer = made(window=3)
    for losses in ([4.0, 1.0], [np.nan, np.inf], [2.0, 3.0]):
        weights = see(balancer, losses)
    np.testing.assert_array_equal(balancer.mean, [3, 2])
    np.testing.assert_allclose(weights, [1, 1])


def test_the_losses_unit_does_not_matter():
    one, other = made(window=1), made(window=1)
    for losses in ([8.0, 3.0], [4.0, 2.0], [3.0, 1.9]):
        first, second = see(one, losses), see(other, np.multiply(losses, [1.0, 1024.0]))
        np.testing.assert_array_equal(first, second)
