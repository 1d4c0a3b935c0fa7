import keras
import numpy as np
import pytest

from models.layers.normalized_experts import NormalizedExperts
from models.recipe.errors import InputError


def test_by_hand():
    layer = NormalizedExperts(2, (2,), activation="linear")
    layer.build((None, 1))
    layer.stack[0].set_weights([np.array([[[1.0, 3.0]], [[10.0, -10.0]]]), np.zeros((2, 2))])
    layer.shifts[0].assign([[0.0, 0.0], [0.0, 3.0]])
    layer.scales[0].assign([[1.0, 2.0], [1.0, 1.0]])
    # x = 2: z = (2, 6): mean 4, variance 4;  z = (20, -20): mean 0, variance 400
    first, second = 2 / np.sqrt(4.001), 20 / np.sqrt(400.001)
    np.testing.assert_allclose(layer(np.array([[2.0]])), [[[-first, 2 * first], [second, 3 - second]]], rtol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_experts_of_any_scale_have_outputs_of_one_scale(dtype):
    keras.utils.set_random_seed(1)
    layer = NormalizedExperts(2, (64,), dtype=dtype)
    layer.build((None, 20))
    kernel = layer.stack[0].kernel
    kernel.assign(kernel * np.array([100.0, 1.0])[:, None, None])
    spread = np.std(np.array(layer(np.random.default_rng(0).normal(size=(50, 20))), "float32"), axis=(0, 2))
    assert spread[0] == pytest.approx(spread[1], rel=0.1)


def test_refuses_sizes_below_1():
    with pytest.raises(InputError, match="experts: expected layer sizes of 1 or more"):
        NormalizedExperts(2, (0,))


def test_config_round_trip():
    layer = NormalizedExperts(3, (4, 2), activation="relu", dropout=0.25, name="e")
    assert NormalizedExperts.from_config(layer.get_config()).get_config() == layer.get_config()
