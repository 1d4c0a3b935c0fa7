import keras
import numpy as np
import pytest
from scipy.special import erf

from models.backbones.token_mixer import TokenMixer, groups

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(2, 7)).astype("float32")


@pytest.mark.parametrize(
    ("widths", "count", "expected"),
    [
        ((4, 4, 8, 1, 1, 2), 3, ((0, 8), (8, 16), (16, 20))),
        ((20, 1, 1), 3, ((0, 20), (20, 21), (21, 22))),  # no group is empty
        ((1, 1, 20), 3, ((0, 1), (1, 2), (2, 22))),
        ((3, 2), 8, ((0, 3), (3, 5))),
    ],
)
def test_groups_of_whole_features(widths, count, expected):
    assert groups(widths, count) == expected


def dense(layer, t, x):
    kernel, bias = layer.get_weights()
    return x @ kernel[t][: len(x)] + bias[t]


def norm(layer, v):
    scale, shift = layer.get_weights()
    return (v - v.mean()) / np.sqrt(v.var() + 1e-3) * scale + shift


def gelu(v):
    return v * (1 + erf(v / np.sqrt(2))) / 2


def test_against_loops():
    keras.utils.set_random_seed(1)
    layer = TokenMixer(levels=2, tokens=3, head_dim=2, expansion=2, fields=(2, 3))
    layer(X)
    assert layer.groups == ((0, 2), (2, 5), (5, 7))
    for variable in layer.trainable_variables:
        variable.assign(variable.value + RANDOM.normal(size=variable.shape, scale=0.2))
    for x, found in zip(X, np.array(layer(X)), strict=True):
        h = [dense(layer.embed, t, x[start:end]) for t, (start, end) in enumerate(layer.groups)]
        for level in (0, 1):
            mixed = [np.concatenate([token[2 * t : 2 * t + 2] for token in h]) for t in range(3)]
            s = [norm(layer.norms[2 * level], m + token) for m, token in zip(mixed, h, strict=True)]
            first, second = layer.feed[2 * level : 2 * level + 2]
            fed = [dense(second, t, gelu(dense(first, t, token))) for t, token in enumerate(s)]
            h = [norm(layer.norms[2 * level + 1], f + token) for f, token in zip(fed, s, strict=True)]
        np.testing.assert_allclose(found, np.mean(h, axis=0), rtol=1e-3, atol=1e-4)
