import numpy as np
import pytest
from scipy import optimize

from models.balancing.interior_point import minimum
from models.balancing.small_systems import times


def quadratic(hessian, linear):
    hessian, linear = np.float32(hessian), np.float32(linear)
    return lambda x: (times(hessian, x) + linear, hessian)


def test_by_hand():
    # x_0^2 / 2 - 2 x_0 + x_1^2 / 2 + x_1: (2, 0). With x_0 + x_1 = 1: (1, 0).
    start, f = np.float32([0.5, 0.5]), quadratic(np.eye(2), [-2, 1])
    np.testing.assert_allclose(minimum(f, start), [2, 0], atol=1e-6)
    np.testing.assert_allclose(minimum(f, start, np.ones(2, "float32")), [1, 0], atol=1e-6)


def test_of_a_linear_function_on_a_weighted_simplex():
    # x_0 + x_1 with x_0 + x_1 / 4 = 1, x >= 0: all on x_0.
    f = quadratic(1e-3 * np.eye(2), [1, 1])
    np.testing.assert_allclose(minimum(f, np.float32([0.5, 2]), np.float32([1, 0.25])), [1, 0], atol=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_several_problems_at_once_against_scipy(seed):
    rng = np.random.default_rng(seed)
    matrix, targets = rng.normal(size=(9, 6)), rng.normal(size=(3, 9))
    matrix /= np.linalg.norm(matrix, axis=0)
    hessian = np.float32(matrix.T @ matrix)
    linear = np.float32(-targets @ matrix)
    out = minimum(lambda x: (times(hessian, x) + linear, np.stack([hessian] * 3)), np.ones((3, 6), "float32"))
    expected = [optimize.nnls(matrix, target)[0] for target in targets]
    np.testing.assert_allclose(out, expected, atol=1e-4)
