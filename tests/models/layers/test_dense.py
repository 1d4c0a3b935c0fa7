from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.layers.dense import Dense
from models.layers.stacked_dense import StackedDense


def test_by_hand():
    layer = Dense(2, "relu")
    layer.build((None, 2))
    layer.set_weights([np.array([[1.0, -1.0], [2.0, 0.0]]), np.array([0.5, 3.0])])
    # 3 + 8 + 0.5 and -3 + 3; 5 + 0.5 and -5 + 3 < 0
    np.testing.assert_allclose(layer(np.array([[3.0, 4.0], [5.0, 0.0]])), [[11.5, 0.0], [5.5, 0.0]])


def test_is_keras_dense():
    keras.utils.set_random_seed(1)
    ours, keras_own = Dense(4, "tanh"), keras.layers.Dense(4, "tanh")
    x = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    ours.build((None, 3))
    keras_own.build((None, 3))
    keras_own.set_weights([ours.get_weights()[0], np.arange(4.0)])
    ours.bias.assign(np.arange(4.0))
    np.testing.assert_allclose(ours(x), keras_own(x), rtol=1e-6)


@pytest.mark.parametrize("make", [Dense, partial(StackedDense, 2)])
@pytest.mark.parametrize("jit", [False, True])
def test_the_gradient_of_a_bias_is_a_sum_in_float32(make, jit):
    """Parts of one sign, where a sum in bfloat16 stands still at 256 times one of them."""
    layer, x = make(8, dtype="mixed_bfloat16"), tf.zeros((4096, 3))
    layer.build(x.shape)
    scale = tf.random.stateless_uniform(layer(x).shape, (1, 2))

    @tf.function(jit_compile=jit)
    def gradient():
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.cast(layer(x), "float32") * scale)
        return tape.gradient(loss, layer.bias.value)

    np.testing.assert_allclose(gradient(), tf.reduce_sum(scale, axis=0), rtol=0.01)


def test_config_round_trip():
    layer = Dense(3, "tanh", kernel_initializer="glorot_uniform", name="d")
    assert Dense.from_config(layer.get_config()).get_config() == layer.get_config()
