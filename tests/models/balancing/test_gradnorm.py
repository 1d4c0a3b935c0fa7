import numpy as np
import pytest

from models.balancing.evidence import Evidence
from models.balancing.gradnorm import GradNorm

# |g_a| = 5, |g_b| = 1
GRADIENTS = np.float32([[3, 4], [0, 1]])


def made(weights=(1.0, 1.0), **options):
    balancer = GradNorm(("a", "b", "c")[: len(weights)], weights, **options)
    balancer.build()
    return balancer


def see(balancer, losses, gradients=GRADIENTS, observed=None):
    losses = np.float32(losses)
    observed = np.ones(len(losses), bool) if observed is None else np.array(observed)
    return np.asarray(balancer(evidence=Evidence(losses=losses, observed=observed, gradients=gradients)))


def test_one_update_by_hand():
    """G = (5, 1), mean 3; at the first batch both L / L(0) are 1, so both targets are 3: a sinks, b rises.

    a: 1 exp(-0.3 * 5/3) = e^-0.5. b: 1 exp(+0.3 * 1/3) = e^0.1. Scaled to the sum 2.
    """
    balancer = made((1.0, 2.0), alpha=1.0, learning_rate=0.3)
    np.testing.assert_array_equal(see(balancer, [4.0, 2.0]), [1, 2])  # this step's are those from before the update
    expected = 2 * np.exp([-0.5, 0.1]) / np.exp([-0.5, 0.1]).sum()
    np.testing.assert_allclose(balancer.balance, expected, rtol=1e-6)
    np.testing.assert_array_equal(balancer.first_losses, [4, 2])
    np.testing.assert_allclose(see(balancer, [4.0, 2.0]), expected * [1, 2], rtol=1e-6)


def test_a_task_that_lags_is_helped_by_hand():
    """L / L(0) = (1, 1/4), r = (8/5, 2/5). G = (5, 1): targets 3 r^2 = (7.68, 0.48), so now a rises and b sinks."""
    balancer = made(alpha=2.0, learning_rate=0.3)
    balancer.first_losses.assign([4.0, 2.0])
    see(balancer, [4.0, 0.5])
    expected = 2 * np.exp([0.5, -0.1]) / np.exp([0.5, -0.1]).sum()
    np.testing.assert_allclose(balancer.balance, expected, rtol=1e-6)


def test_alpha_0_brings_the_norms_together():
    balancer = made(alpha=0.0, learning_rate=0.02)
    for _ in range(200):
        see(balancer, [4.0, 2.0])
    pulls = np.asarray(balancer.balance) * [5, 1]
    assert pulls[0] / pulls[1] == pytest.approx(1.0, abs=0.1)
    assert float(np.sum(balancer.balance)) == pytest.approx(2.0, rel=1e-5)


@pytest.mark.parametrize("odd", ["not observed", "infinite gradient", "loss of NaN"])
def test_a_task_that_takes_no_part(odd):
    """The others are balanced as if it were not there."""
    balancer, lone = made((1.0,) * 3, learning_rate=0.3), made(learning_rate=0.3)
    balancer.balance.assign([1.0, 1.0, 0.7])
    see(lone, [4.0, 2.0])
    third = np.float32([np.inf, 1.0]) if odd == "infinite gradient" else np.float32([0, 0])
    loss = np.nan if odd == "loss of NaN" else 0.0 if odd == "not observed" else 3.0
    see(balancer, [4.0, 2.0, loss], np.stack([*GRADIENTS, third]), [True, True, odd != "not observed"])
    np.testing.assert_allclose(balancer.balance, [*np.asarray(lone.balance), 0.7], rtol=1e-6)
    np.testing.assert_array_equal(balancer.first_losses, [4, 2, 0])


def test_a_first_loss_is_that_of_the_first_observation():
    balancer = made()
    see(balancer, [4.0, 0.0], observed=[True, False])
    see(balancer, [3.0, 7.0])
    see(balancer, [2.0, 6.0])
    np.testing.assert_array_equal(balancer.first_losses, [4, 7])


def test_the_losses_unit_does_not_matter():
    one, other = made(), made()
    see(one, [4.0, 2.0])
    see(other, [4000.0, 2000.0], 1000 * GRADIENTS)
    np.testing.assert_allclose(one.balance, other.balance, rtol=1e-6)


def test_nothing_shared_moves_nothing():
    balancer = made((1.0, 0.5))
    np.testing.assert_array_equal(see(balancer, [4.0, 2.0], None), [1, 0.5])
    np.testing.assert_array_equal(balancer.balance, [1, 1])
    assert balancer.trainable_variables == []
