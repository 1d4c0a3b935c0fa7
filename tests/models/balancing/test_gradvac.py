import keras
import numpy as np
import tensorflow as tf

from models.balancing.evidence import Evidence
from models.balancing.gradvac import GradVac, vaccinated


def reference(gradients, order, targets, beta):
    """The paper's algorithm, vector by vector."""
    targets, total = targets.copy(), np.zeros(gradients.shape[1])
    for i, gradient in enumerate(gradients):
        h = gradient.copy()
        for j in order[i]:
            if j == i:
                continue
            other = gradients[j]
            h_length, length = np.linalg.norm(h), np.linalg.norm(other)
            cosine, target = h @ other / h_length / length, targets[i, j]
            if cosine < target:
                sines = np.sqrt(1 - cosine**2), np.sqrt(1 - target**2)
                h += h_length * (target * sines[0] - cosine * sines[1]) / (length * sines[1]) * other
            targets[i, j] = (1 - beta) * target + beta * cosine
        total += h
    return total, targets


def balancer(**options):
    keras.utils.set_random_seed(1)
    one = GradVac(("a", "b"), (1.0, 1.0), **options)
    one.build()
    return one


def combine(one, gradients):
    gradients = tf.constant(gradients, "float32")
    observed = tf.reduce_any(gradients != 0, axis=1)
    return one.combine(Evidence(losses=tf.ones(len(gradients)), observed=observed, gradients=gradients))


def test_against_the_paper():
    rng = np.random.default_rng(0)
    gradients, order = rng.normal(size=(4, 6)), np.array([rng.permutation(4) for _ in range(4)])
    targets = rng.uniform(-0.3, 0.7, size=(4, 4))
    expected, new = reference(gradients, order, targets, 0.1)
    products, old = np.float32(gradients @ gradients.T), tf.constant(targets, "float32")
    coefficients, updated = vaccinated(tf.constant(products), tf.constant(order, "int32"), old, 0.1)
    np.testing.assert_allclose(np.sum(coefficients, axis=0) @ gradients, expected, rtol=1e-4, atol=1e-4)
    off_diagonal = ~np.eye(4, dtype=bool)
    np.testing.assert_allclose(np.asarray(updated)[off_diagonal], new[off_diagonal], atol=1e-5)


def test_a_gradient_is_turned_to_the_target_cosine():
    # Target 0.6 between (1, 0) and (0, 1): h = (1, 0) + (0.6 * 1 - 0) / 0.8 (0, 1) = (1, 0.75), of cosine 0.6.
    one = balancer()
    one.targets.assign(np.full((2, 2), 0.6))
    np.testing.assert_allclose(combine(one, [[1, 0], [0, 1]]), [1.75, 1.75], rtol=1e-5)


def test_the_first_step_is_that_of_pcgrad():
    # As in test_pcgrad.py.
    np.testing.assert_allclose(combine(balancer(), [[1, 0], [-1, 1]]), [0.5, 1.5], rtol=1e-5)


def test_targets_follow_the_cosines_up_and_down():
    one = balancer(beta=0.5)
    combine(one, [[1, 0], [3, 4]])
    np.testing.assert_allclose(one.targets, [[0, 0.3], [0.3, 0]], rtol=1e-5)
    combine(one, [[1, 0], [-1, 0]])
    np.testing.assert_allclose(one.targets, [[0, -0.35], [-0.35, 0]], rtol=1e-5)


def test_a_task_without_a_gradient_keeps_its_targets():
    one = balancer()
    one.targets.assign(np.full((2, 2), 0.5))
    np.testing.assert_allclose(combine(one, [[1, 0], [0, 0]]), [1, 0])
    np.testing.assert_allclose(one.targets, np.full((2, 2), 0.5))


def test_opposed_gradients_and_high_targets_are_finite():
    one = balancer()
    one.targets.assign(np.ones((2, 2)))
    assert np.isfinite(combine(one, [[1, 2], [-1000, -2000]])).all()
