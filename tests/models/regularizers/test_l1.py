import keras
import numpy as np
import pytest

from models.recipe.errors import InputError
from models.regularizers.l1 import L1


def test_by_hand():
    dense = keras.layers.Dense(2)
    dense.build((None, 2))
    dense.set_weights([np.array([[1.0, -2.0], [0.0, 3.0]]), np.array([100.0, 100.0])])
    assert float(L1(strength=0.5).call(dense.trainable_variables)) == pytest.approx(0.5 * (1 + 2 + 3))


def test_refuses_a_negative_strength():
    with pytest.raises(InputError, match="l1: expected a strength of 0 or more, received -1"):
        L1(strength=-1)
