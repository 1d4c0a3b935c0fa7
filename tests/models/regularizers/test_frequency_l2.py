import numpy as np
import pytest

from models.recipe.errors import InputError
from models.regularizers.frequency_l2 import FrequencyL2


def test_by_hand():
    rows = np.array([[1.0, 2.0], [3.0, 0.0], [1.0, 2.0], [100.0, 100.0]], "float32")
    # The first row is read twice by this batch and was read eight times before; the last is padding.
    cost = FrequencyL2(strength=0.5).call(rows, np.float32([0.5, 1, 0.5, 0]), np.float32([10, 1, 10, 1]))
    assert float(cost) == pytest.approx(0.5 * (5 / 10 + 9 / 1))


def test_refuses_a_negative_strength():
    with pytest.raises(InputError, match="strength of 0 or more, received -1"):
        FrequencyL2(strength=-1)
