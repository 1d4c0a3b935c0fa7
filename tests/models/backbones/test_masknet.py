import keras
import numpy as np
import pytest

from models.backbones.masknet import MaskNet

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(2, 8)).astype("float32")
FIELDS = (3, 3, 1)


def normalized(v):
    return (v - v.mean()) / np.sqrt(v.var() + 1e-3)


def block(blocks, n, v, x):
    """Block n of the layer on one example, equation by equation."""
    (w1, b1), (w2, b2), (w, b) = (
        [a[n] for a in layer.get_weights()] for layer in (blocks.hidden, blocks.mask, blocks.out)
    )
    mask = np.maximum(x @ w1 + b1, 0) @ w2 + b2
    scale, shift = np.array(blocks.scale)[n], np.array(blocks.shift)[n]
    return np.maximum(normalized((mask * v) @ w + b) * scale + shift, 0)


@pytest.mark.parametrize("mode", ["parallel", "serial"])
def test_against_loops(mode):
    keras.utils.set_random_seed(1)
    layer = MaskNet(mode=mode, blocks=2, units=4, mask_units=3, fields=FIELDS)
    layer(X)
    for variable in layer.trainable_variables:  # scales of 1 and shifts of 0 would hide errors
        variable.assign(variable.value + RANDOM.normal(size=variable.shape, scale=0.3))
    scale, shift = np.array(layer.scale), np.array(layer.shift)
    for x, found in zip(X, np.array(layer(X)), strict=True):
        v = np.concatenate([normalized(x[:3]), normalized(x[3:6]), x[6:]]) * scale + shift
        if mode == "parallel":
            expected = np.concatenate([block(layer.stack[0], n, v, x) for n in (0, 1)])
        else:
            expected = block(layer.stack[1], 0, block(layer.stack[0], 0, v, x), x)
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)
