import keras
import numpy as np
import pytest

from models.layers.stacked_dense import StackedDense


def loops(x, kernel, bias):
    return np.array([[row @ k + b for k, b in zip(kernel, bias, strict=True)] for row in x])


def test_by_hand():
    layer = StackedDense(2, 1, activation="relu")
    layer.build((None, 2))
    layer.set_weights([np.array([[[1.0], [2.0]], [[-1.0], [0.0]]]), np.array([[0.5], [3.0]])])
    # 1*3 + 2*4 + 0.5 = 11.5; -1*3 + 0*4 + 3 = 0 ; negative second row is cut by relu: -5 + 3 = -2
    np.testing.assert_allclose(layer(np.array([[3.0, 4.0], [5.0, 0.0]])), [[[11.5], [0.0]], [[5.5], [0.0]]])


@pytest.mark.parametrize("shape", [(5, 3), (5, 4, 3)])
def test_against_loops(shape):
    keras.utils.set_random_seed(1)
    layer = StackedDense(4, 2)
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    out = layer(x)
    kernel, bias = layer.get_weights()
    expected = (
        loops(x, kernel, bias) if x.ndim == 2 else np.stack([x[:, e] @ kernel[e] + bias[e] for e in range(4)], axis=1)
    )
    np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-6)
    assert layer.compute_output_shape(shape) == out.shape


def test_each_expert_draws_its_own_weights_with_its_own_fan_in():
    keras.utils.set_random_seed(1)
    layer = StackedDense(50, 40, kernel_initializer="he_normal")
    layer.build((None, 200))
    kernel = layer.get_weights()[0]
    assert len({float(k.sum()) for k in kernel}) == 50
    # he_normal: variance 2 / fan-in = 2 / 200; with the expert axis taken for a window it would be 2 / (50 * 200).
    assert kernel.var() == pytest.approx(2 / 200, rel=0.02)


def test_same_seed_same_weights():
    def kernel(seed):
        keras.utils.set_random_seed(seed)
        layer = StackedDense(3, 2)
        layer.build((None, 4))
        return layer.get_weights()[0]

    np.testing.assert_array_equal(kernel(7), kernel(7))
    assert not np.array_equal(kernel(7), kernel(8))


def test_config_round_trip():
    layer = StackedDense(3, 2, activation="tanh", kernel_initializer="glorot_uniform", name="s")
    assert StackedDense.from_config(layer.get_config()).get_config() == layer.get_config()
