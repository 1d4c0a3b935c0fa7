import numpy as np
import pytest

from models.layers.cross_stitch import CrossStitchUnit
from models.recipe.errors import InputError


def test_by_hand():
    layer = CrossStitchUnit()
    layer.build((None, 2, 2))
    layer.set_weights([np.array([[0.5, 2.0], [0.0, 1.0]])])
    x = np.array([[[1.0, 2.0], [10.0, 20.0]]])  # task 0: (1, 2), task 1: (10, 20)
    np.testing.assert_allclose(layer(x), [[[20.5, 41.0], [10.0, 20.0]]])


def test_start():
    layer = CrossStitchUnit(self_weight=0.8)
    layer.build((None, 3, 5))
    np.testing.assert_allclose(layer.get_weights()[0], [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]], rtol=1e-6)


def test_a_lone_task_keeps_all():
    layer = CrossStitchUnit(self_weight=0.8)
    layer.build((None, 1, 5))
    np.testing.assert_array_equal(layer.get_weights()[0], [[1.0]])


def test_config_round_trip():
    layer = CrossStitchUnit(self_weight=0.7)
    assert CrossStitchUnit.from_config(layer.get_config()).get_config() == layer.get_config()


def test_refuses_a_weight_outside_0_to_1():
    with pytest.raises(InputError, match=r"from 0 to 1, received 1\.5"):
        CrossStitchUnit(self_weight=1.5)
