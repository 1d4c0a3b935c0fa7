import keras
import numpy as np
import pytest

from models.layers.mlp import MLP
from models.recipe.errors import InputError


def test_by_hand():
    layer = MLP((2, 1))
    layer.build((None, 2))
    layer.set_weights(
        [np.array([[1.0, -1.0], [1.0, 1.0]]), np.array([0.0, 1.0]), np.array([[2.0], [3.0]]), np.array([-1.0])]
    )
    # x = (1, 2): relu(3, 2) -> 2*3 + 3*2 - 1 = 11;  x = (5, 0): relu(5, -4) = (5, 0) -> 9
    np.testing.assert_allclose(layer(np.array([[1.0, 2.0], [5.0, 0.0]])), [[11.0], [9.0]])


def test_no_layers_pass_the_input_through():
    x = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(MLP(())(x), x)
    assert MLP(()).compute_output_shape((None, 3)) == (None, 3)


def test_dropout_only_in_training():
    keras.utils.set_random_seed(1)
    layer = MLP((100,), activation="sigmoid", dropout=0.25)
    x = np.ones((20, 3), "float32")
    assert (np.asarray(layer(x)) > 0).all()
    assert (np.asarray(layer(x, training=True)) == 0).mean() == pytest.approx(0.25, abs=0.05)


def test_config_round_trip():
    layer = MLP((4, 2), activation="gelu", dropout=0.1)
    assert MLP.from_config(layer.get_config()).get_config() == layer.get_config()


def test_refuses_sizes():
    with pytest.raises(InputError, match="layer sizes of 1 or more"):
        MLP((4, -1))
    with pytest.raises(InputError, match="dropout rate"):
        MLP((4,), dropout=-0.1)


def test_refuses_an_unknown_activation():
    with pytest.raises(InputError, match="unknown activation 'rellu'; expected one of Keras' names, such as relu"):
        MLP((4,), activation="rellu")
