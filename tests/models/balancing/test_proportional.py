import numpy as np

from models.balancing.proportional import proportional


def test_the_observed_tasks_keep_the_sum_of_their_weights():
    """3 + 1 = 4, in the proportion 1 : 7."""
    out = proportional(np.float32([1, 5, 7]), np.float32([3, 2, 1]), np.array([True, False, True]))
    np.testing.assert_allclose(out, [0.5, 0, 3.5])


def test_nothing_observed_and_nothing_shared():
    np.testing.assert_array_equal(
        proportional(np.float32([1, 2]), np.float32([1, 1]), np.array([False, False])), [0, 0]
    )
    np.testing.assert_array_equal(proportional(np.float32([0, 0]), np.float32([1, 1]), np.array([True, True])), [0, 0])
