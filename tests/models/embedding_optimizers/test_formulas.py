"""One step of every embedding optimizer, worked by hand."""

import numpy as np
import pytest

from models.embedding_optimizers.lazy_adam import LazyAdam
from models.embedding_optimizers.rowwise_adagrad import RowwiseAdagrad
from models.embedding_optimizers.sgd import SGD

GRADIENTS = np.array([[3.0, -1.0], [0.0, 0.0]], "float32")


def test_sgd():
    change, _ = SGD(learning_rate=0.5).change(GRADIENTS, GRADIENTS[:, :0], 1.0)
    np.testing.assert_array_equal(change, [[-1.5, 0.5], [0, 0]])


def test_rowwise_adagrad():
    # The mean of 9 and 1 is 5: the accumulator goes from 4 to 9, whose root is 3.
    optimizer = RowwiseAdagrad(learning_rate=0.3, epsilon=0.0)
    change, state = optimizer.change(GRADIENTS, np.array([[4.0], [4.0]], "float32"), 7.0)
    np.testing.assert_array_equal(state, [[9], [4]])
    np.testing.assert_allclose(change, [[-0.3, 0.1], [0, 0]], rtol=1e-6)


def test_lazy_adam_from_the_start():
    """The first step is the rate, whatever the size of the gradient."""
    change, state = LazyAdam(learning_rate=0.5).change(GRADIENTS, np.zeros((2, 4), "float32"), 1.0)
    np.testing.assert_allclose(change, [[-0.5, 0.5], [0, 0]], rtol=1e-4)
    np.testing.assert_allclose(state, [[0.3, -0.1, 0.009, 0.001], [0, 0, 0, 0]], rtol=1e-4)


def test_lazy_adam_of_a_row_read_before():
    # beta_1 = beta_2 = 1/2, step 2: m = (1 + 3) / 2 = 2, v = (7 + 9) / 2 = 8, rate = sqrt(3/4) / (3/4).
    optimizer = LazyAdam(learning_rate=1.0, beta_1=0.5, beta_2=0.5, epsilon=0.0)
    change, state = optimizer.change(np.float32([[3.0]]), np.float32([[1.0, 7.0]]), 2.0)
    np.testing.assert_array_equal(state, [[2, 8]])
    assert float(change[0, 0]) == pytest.approx(-(0.75**0.5) / 0.75 * 2 / 8**0.5)
