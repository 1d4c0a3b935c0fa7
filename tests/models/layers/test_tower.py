import numpy as np
import pytest

from models.layers.tower import Tower


def test_by_hand():
    layer = Tower((1,))
    layer.build((None, 2))
    layer.set_weights([np.array([[1.0], [2.0]]), np.array([0.0]), np.array([[-3.0]]), np.array([0.5])])
    # relu(1 + 4) * -3 + 0.5 = -14.5;  relu(-1) = 0 -> 0.5
    np.testing.assert_allclose(layer(np.array([[1.0, 2.0], [-1.0, 0.0]])), [-14.5, 0.5])


@pytest.mark.parametrize("units", [(), (4, 3)])
def test_shape_and_precision(units):
    out = Tower(units, dtype="mixed_bfloat16")(np.ones((5, 2), "float32"))
    assert out.shape == (5,)
    assert out.dtype == "float32"


def test_config_round_trip():
    layer = Tower((4, 2), activation="gelu", dropout=0.1)
    assert Tower.from_config(layer.get_config()).get_config() == layer.get_config()


def test_several_logits():
    layer = Tower((), outputs=2)
    layer.build((None, 1))
    layer.set_weights([np.array([[1.0, -2.0]]), np.array([0.5, 0.0])])
    np.testing.assert_allclose(layer(np.array([[3.0], [0.0]])), [[3.5, -6.0], [0.5, 0.0]])
    assert layer.compute_output_shape((7, 1)) == (7, 2)
    assert Tower.from_config(layer.get_config()).get_config() == layer.get_config()
