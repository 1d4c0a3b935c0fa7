import numpy as np

from models.balancing.softmax import softmax


def test_by_hand_over_those_that_take_part():
    values = np.float32(np.log([1, 50, 3]))
    np.testing.assert_allclose(softmax(values, np.array([True, False, True])), [0.25, 0, 0.75], rtol=1e-6)


def test_large_values_and_values_of_others_that_are_not_finite():
    values = np.float32([1e30, np.nan, -1e30, np.inf])
    np.testing.assert_array_equal(softmax(values, np.array([True, False, True, False])), [1, 0, 0, 0])


def test_one_task_and_none():
    np.testing.assert_array_equal(softmax(np.float32([7.0]), np.array([True])), [1])
    np.testing.assert_array_equal(softmax(np.float32([7.0, 1.0]), np.array([False, False])), [0, 0])
