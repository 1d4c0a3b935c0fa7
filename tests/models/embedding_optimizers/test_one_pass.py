"""one_pass: the same kind of numbers, from one compiled pass."""

import keras
import numpy as np

from models.embedding_optimizers.one_pass import one_pass


def test_numbers_follow_the_initializer_and_the_seed():
    def draw(seed):
        return one_pass(keras.initializers.RandomUniform(-1.0, 3.0, seed=seed))((1000, 4), "float32").numpy()

    assert draw(1).shape == (1000, 4) and draw(1).dtype == np.float32
    assert -1 <= draw(1).min() < -0.9 and 2.9 < draw(1).max() <= 3
    np.testing.assert_array_equal(draw(1), draw(1))
    assert (draw(1) != draw(2)).any()


def test_a_variable_of_ones():
    variable = keras.Variable(one_pass(keras.initializers.Ones()), shape=(2, 3), dtype="float32")
    np.testing.assert_array_equal(variable.numpy(), np.ones((2, 3)))
