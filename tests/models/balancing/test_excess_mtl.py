import functools

import balancers
import numpy as np
import pytest

from models.balancing.evidence import Evidence
from models.balancing.excess_mtl import ExcessMTL

# |g_a|^2 = 25, |g_b|^2 = 1
GRADIENTS = np.float32([[3, 4], [0, 1]])


made = functools.partial(balancers.made, ExcessMTL)


def see(balancer, gradients, observed=None):
    count = len(balancer.tasks)
    observed = np.ones(count, bool) if observed is None else np.array(observed)
    evidence = Evidence(losses=np.ones(count, "float32"), observed=observed, gradients=gradients)
    return np.asarray(balancer(evidence=evidence))


def test_two_updates_by_hand():
    """First step: both e are 1 relative to their first, so alpha stays (1, 1).

    Then g_a is the same and g_b is 0.5: e_a = 25 / sqrt(50) / 5 = 1 / sqrt(2), e_b = 0.25 / sqrt(1.25) / 1.
    """
    balancer = made((1.0, 3.0), step_size=0.5)
    np.testing.assert_array_equal(see(balancer, GRADIENTS), [1, 3])  # this step's are those from before the update
    np.testing.assert_allclose(balancer.alpha, [1, 1], rtol=1e-6)
    see(balancer, np.float32([[3, 4], [0, 0.5]]))
    powers = np.exp(0.5 * np.array([1 / np.sqrt(2), 0.25 / np.sqrt(1.25)]))
    expected = 2 * powers / powers.sum()
    np.testing.assert_allclose(balancer.alpha, expected, rtol=1e-6)
    np.testing.assert_allclose(see(balancer, GRADIENTS), expected * [1, 3], rtol=1e-6)


def test_agrees_with_the_paper_where_all_parameters_have_gradients_of_the_same_size():
    """sum_p g_p^2 / sqrt(sum over steps of g_p^2), relative to its first value, in loops."""
    sizes, paper, squares, first = [[1.0, 2.0], [0.5, 2.0], [0.2, 1.5]], np.ones(2), np.zeros((2, 4)), None
    balancer = made(step_size=0.3)
    for size in sizes:
        gradients = np.float32(np.outer(size, [1, -1, 1, 1]))
        see(balancer, gradients)
        squares += gradients.astype(float) ** 2
        excess = (gradients**2 / np.sqrt(squares)).sum(axis=1)
        first = excess if first is None else first
        paper = paper * np.exp(0.3 * excess / first)
        paper = 2 * paper / paper.sum()
    np.testing.assert_allclose(balancer.alpha, paper, rtol=1e-5)


def test_a_noisy_task_that_has_learned_loses_weight():
    """a's gradients vanish at a large loss that is all noise, b's do not."""
    balancer = made(step_size=0.1)
    for step in range(50):
        see(balancer, np.float32([[3 * 0.8**step, 0], [0, 1]]))
    assert balancer.alpha[0] < 0.9 < 1.1 < balancer.alpha[1]
    assert float(np.sum(balancer.alpha)) == pytest.approx(2.0, rel=1e-5)


def test_the_losses_unit_does_not_matter():
    one, other = made(step_size=0.3), made(step_size=0.3)
    for scale in (1.0, 0.5, 0.1):
        see(one, GRADIENTS * np.float32([[scale], [1]]))
        see(other, GRADIENTS * np.float32([[1000 * scale], [1]]))
    np.testing.assert_allclose(other.alpha, one.alpha, rtol=1e-5)


@pytest.mark.parametrize("odd", ["not observed", "infinite gradient", "gradient of 0"])
def test_a_task_that_takes_no_part(odd):
    """The others move as if it were not there."""
    balancer, lone = made((1.0,) * 3, step_size=0.3), made(step_size=0.3)
    balancer.alpha.assign([1.0, 1.0, 0.7])
    third = np.float32([np.inf if odd == "infinite gradient" else 0, 0])
    for scale in np.float32([1, 0.2]):
        gradients = GRADIENTS * np.float32([[scale], [1]])
        see(lone, gradients)
        see(balancer, np.stack([*gradients, third]), [True, True, odd != "not observed"])
    np.testing.assert_allclose(balancer.alpha, [*np.asarray(lone.alpha), 0.7], rtol=1e-6)


def test_nothing_shared_moves_nothing():
    balancer = made((1.0, 0.5))
    np.testing.assert_array_equal(see(balancer, None), [1, 0.5])
    np.testing.assert_array_equal(balancer.alpha, [1, 1])
