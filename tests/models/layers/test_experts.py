import keras
import numpy as np
import pytest

from models.layers.experts import Experts
from models.recipe.errors import InputError


def test_each_expert_is_an_mlp():
    keras.utils.set_random_seed(1)
    layer = Experts(3, (5, 2), activation="tanh")
    x = np.random.default_rng(0).normal(size=(4, 6)).astype("float32")
    out = layer(x)
    k0, b0, k1, b1 = layer.get_weights()
    for e in range(3):
        np.testing.assert_allclose(out[:, e], np.tanh(np.tanh(x @ k0[e] + b0[e]) @ k1[e] + b1[e]), atol=1e-5)
    assert out.shape == layer.compute_output_shape(x.shape) == (4, 3, 2)


def test_dropout_only_in_training():
    keras.utils.set_random_seed(1)
    layer = Experts(2, (50,), activation="sigmoid", dropout=0.5)
    x = np.ones((20, 3), "float32")
    kept, dropped = np.asarray(layer(x)), np.asarray(layer(x, training=True))
    assert (kept > 0).all()
    assert (dropped == 0).mean() == pytest.approx(0.5, abs=0.05)


def test_config_round_trip():
    layer = Experts(3, (5, 2), activation="tanh", dropout=0.1, name="e")
    assert Experts.from_config(layer.get_config()).get_config() == layer.get_config()


@pytest.mark.parametrize(
    ("experts", "units", "dropout", "words"),
    [
        (0, (8,), 0.0, "at least one expert of at least one layer, received 0 experts"),
        (2, (), 0.0, "at least one layer"),
        (2, (8, 0), 0.0, r"sizes of 1 or more, received \(8, 0\)"),
        (2, (8,), 1.0, "dropout rate of at least 0 and below 1, received 1.0"),
    ],
)
def test_refuses_sizes(experts, units, dropout, words):
    with pytest.raises(InputError, match=words):
        Experts(experts, units, dropout=dropout)


def test_refuses_an_unknown_activation():
    with pytest.raises(InputError, match="unknown activation 'rellu'; expected one of Keras' names, such as relu"):
        Experts(2, (4,), activation="rellu")
