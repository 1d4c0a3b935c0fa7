import functools

import balancers
import numpy as np
import pytest

from models.balancing.famo import FAMO

made, see = functools.partial(balancers.made, FAMO), balancers.see


def reference(batches, learning_rate, gamma):
    """The authors' update in loops, with the losses of the next batch as those after the step: the z of every batch."""
    count = len(batches[0])
    xi, m, v, seen = np.zeros(count), np.zeros(count), np.zeros(count), []
    for step, losses in enumerate(batches):
        if step:
            delta = np.log(batches[step - 1]) - np.log(losses)
            z = np.exp(xi) / np.exp(xi).sum()
            jacobian = np.diag(z) - np.outer(z, z)
            gradient = jacobian.T @ delta + gamma * xi
            m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
            xi = xi - learning_rate * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
        seen.append(np.exp(xi) / np.exp(xi).sum())
    return seen


def test_the_first_step_by_hand():
    """1/4 and 1/1, scaled to the sum 2; with the weights 1 and 3, 1/4 and 3/1, scaled to 4."""
    np.testing.assert_allclose(see(made(), [4.0, 1.0]), [0.4, 1.6], rtol=1e-6)
    np.testing.assert_allclose(see(made((1.0, 3.0)), [4.0, 1.0]), [4 / 13, 48 / 13], rtol=1e-6)


def test_against_the_authors_update():
    rng = np.random.default_rng(0)
    batches = [np.exp(rng.normal(size=3)) for _ in range(8)]
    balancer = made((1.0, 1.0, 1.0), learning_rate=0.2, gamma=0.05)
    for losses, z in zip(batches, reference(batches, 0.2, 0.05), strict=True):
        expected = z / losses
        np.testing.assert_allclose(see(balancer, losses), 3 * expected / expected.sum(), rtol=2e-4)


def test_the_task_whose_loss_falls_least_gets_more():
    balancer = made()
    for step in range(20):
        see(balancer, [0.9**step, 0.99**step])
    logits = np.asarray(balancer.logits)
    assert logits[1] > 0 > logits[0]


def test_noise_of_batches_does_not_add_up():
    """Batches that alternate, around losses that do not fall: after 400 steps the logits are where they were after a few."""
    balancer = made()
    for step in range(400):
        see(balancer, [1.2 if step % 2 else 1.0, 1.0])
    assert np.abs(balancer.logits).max() < 0.06


def test_the_losses_unit_does_not_matter():
    one, other = made(), made()
    for losses in ([2.0, 3.0], [1.5, 2.9], [1.0, 2.0]):
        first, second = see(one, losses) * losses, see(other, np.multiply(losses, [1.0, 1024.0])) * losses * [1, 1024]
    np.testing.assert_allclose(second / second.sum(), first / first.sum(), rtol=1e-4)
    np.testing.assert_allclose(one.logits, other.logits, rtol=1e-4)


@pytest.mark.parametrize("odd", [0.0, np.nan])
def test_a_task_without_observations_keeps_its_state(odd):
    """The others move as if it were not there."""
    balancer, lone = made((1.0,) * 3), made()
    for losses in ([2.0, 3.0], [1.0, 2.9], [0.9, 2.8]):
        expected, seen = see(lone, losses), see(balancer, [*losses, odd], [True, True, False])
    np.testing.assert_allclose(seen, [*expected, 0], rtol=1e-6)
    np.testing.assert_allclose(balancer.logits, [*np.asarray(lone.logits), 0], rtol=1e-6)
    np.testing.assert_array_equal(np.asarray(balancer.last)[2], 0)
