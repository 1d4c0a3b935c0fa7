"""Directions worked by hand, one or more for each row of BALANCERS that combines gradients by their inner products."""

import numpy as np
import pytest
import tensorflow as tf

from models.balancing import BALANCERS
from models.balancing.evidence import Evidence
from models.recipe.registry import load

KNOWN = [
    # The nearest point of the line from (1, 0) to (0, 2) to 0: w = (4, 1) / 5. Twice (0.8, 0.4).
    ("mgda", {}, [[1, 0], [0, 2]], [1.6, 0.8]),
    # The shorter of two agreeing gradients, twice: it is nearest to 0.
    ("mgda", {}, [[1, 0], [2, 0]], [2, 0]),
    # w from the unit gradients: 1 / 2 each.
    ("mgda", {"normalization": "l2"}, [[1, 0], [0, 2]], [1, 2]),
    # Losses of 1 and 4: the gradients for w are (1, 0) and (0, 1 / 2), so w = (1 / 4, 1) / (5 / 4).
    ("mgda", {"normalization": "loss"}, [[1, 0], [0, 2]], [0.4, 3.2]),
    # Unit gradients divided by 1 and 4: w = (1 / 16, 1) / (17 / 16).
    ("mgda", {"normalization": "loss+"}, [[1, 0], [0, 2]], [2 / 17, 64 / 17]),
    # g_0 = (1, 1) / 2 is already equally good for both: d = 1.4 g_0 before the factor 2 / 1.4.
    ("cagrad", {}, [[1, 0], [0, 1]], [1, 1]),
    ("cagrad", {"c": 0.0}, [[1, 0], [-3, 1]], [-2, 1]),
    # g_0 = (1 / 2, 1), and the gain of task 1 is the smaller one in all of the ball: w = (1, 0), d = g_0 + 0.4 |g_0| (1, 0).
    ("cagrad", {}, [[1, 0], [0, 2]], [(1 + 0.4 * 5**0.5) / 1.4, 2 / 1.4]),
    # d . u_i equal: (c, c) = 2 (a, 2 - 2 a) with a = 2 / 3.
    ("imtl_g", {}, [[1, 0], [0, 2]], [4 / 3, 4 / 3]),
    # y = C^-1 1 = (1, 1) / (1 + cos), a = (1, 1) / 2.
    ("imtl_g", {}, [[1, 0], [0.6, 0.8]], [1.6, 0.8]),
    # Orthogonal gradients: a_i = 1 / |g_i|, times sqrt(|M|_F) = 17^(1 / 4).
    ("nash_mtl", {}, [[1, 0], [0, 2]], [17**0.25, 17**0.25]),
    # |g_i|^2 a_i = a_i^(-1 / 2): gains a_i |g_i|^2 = (1, 4^(1 / 3)), d = (1, 2^(-1 / 3)), scaled to |d|^2 = 2 sqrt(17).
    ("fairgrad", {}, [[1, 0], [0, 2]], np.sqrt(2 * 17**0.5 / (1 + 2 ** (-2 / 3))) * np.array([1, 2 ** (-1 / 3)])),
    ("fairgrad", {"alpha": 1.0}, [[1, 0], [0, 2]], [17**0.25, 17**0.25]),
    # Orthogonal gradients keep their directions and get the length of the shorter, or the mean of their squares.
    ("aligned_mtl", {}, [[1, 0], [0, 2]], [1, 1]),
    ("aligned_mtl", {"scale": "rmse"}, [[1, 0], [0, 2]], [np.sqrt(2.5)] * 2),
    # Eigenvectors along the sum (1.6, 0.8) and the difference, with eigenvalues 1.6 and 0.4: d = sum sqrt(0.4 / 1.6).
    ("aligned_mtl", {}, [[1, 0], [0.6, 0.8]], [0.8, 0.4]),
    # As PCGrad's for two tasks: (1 / 2, 1 / 2) + (0, 1).
    ("upgrad", {}, [[1, 0], [-1, 1]], [0.5, 1.5]),
    ("upgrad", {}, [[1, 0], [1, 1]], [2, 1]),
    # v along (1, 1), and the projections 1 / sqrt(2) + 2 / sqrt(2) on it.
    ("conflict_free", {}, [[1, 0], [0, 2]], [1.5, 1.5]),
]


@pytest.mark.parametrize(("name", "options", "gradients", "expected"), KNOWN)
def test_by_hand(name, options, gradients, expected):
    gradients = tf.constant(gradients, "float32")
    balancer = load(BALANCERS[name])(("a", "b"), (1.0, 1.0), **options)
    evidence = Evidence(losses=tf.constant([1.0, 4.0]), observed=tf.ones(2, bool), gradients=gradients)
    np.testing.assert_allclose(balancer.combine(evidence), expected, rtol=1e-4, atol=1e-4)


def test_aligned_mtl_scales_by_the_lower_median():
    gradients = tf.constant([[1.0, 0, 0, 0], [0, 2, 0, 0], [0, 0, 5, 0], [0, 0, 0, 0]])
    balancer = load(BALANCERS["aligned_mtl"])(tuple("abcd"), (1.0,) * 4, scale="median")
    evidence = Evidence(losses=tf.ones(4), observed=tf.constant([True, True, True, False]), gradients=gradients)
    np.testing.assert_allclose(balancer.combine(evidence), [2, 2, 2, 0], rtol=1e-5)


def test_imtl_g_never_increases_every_loss():
    """y = C^-1 1 has a negative number at the shortest gradient, so that sum_j (y_j / |g_j|) is negative."""
    gradients = np.float32([[1, 0, 0], [0, 1, 0], [0.8, 0.59, 0.1]])
    gradients *= np.float32([[1], [1], [0.1]])
    unit = gradients / np.linalg.norm(gradients, axis=1, keepdims=True)
    y = np.linalg.solve(unit @ unit.T, np.ones(3))
    assert np.sum(y / np.linalg.norm(gradients, axis=1)) < 0
    balancer = load(BALANCERS["imtl_g"])(tuple("abc"), (1.0,) * 3)
    out = balancer.combine(Evidence(losses=tf.ones(3), observed=tf.ones(3, bool), gradients=tf.constant(gradients)))
    assert np.all(unit @ np.asarray(out) > 0)
