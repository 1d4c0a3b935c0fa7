"""What every row of BACKBONES has to do; a new row is tested by being there."""

import inspect
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.backbones import BACKBONES
from models.backbones.base import Backbone
from models.recipe.registry import load, signature, summary

X = np.random.default_rng(0).normal(size=(16, 5)).astype("float32")
FIELDS = (2, 2)
"""Two embeddings; the last column is a number."""
MORE = {
    "dcn_v2": {"rank": 3, "experts": 2},
    "dot": {"dim": 3},
    "fm": {"dim": 3},
    "masknet": {"mode": "serial", "blocks": 2, "units": 4},
}
"""Options of a second model of a row, which make more of its variables."""
ROWS = [(name, {}) for name in BACKBONES] + [(name, options) for name, options in MORE.items()]


def make(name, options, seed=1, **more):
    keras.utils.set_random_seed(seed)
    return load(BACKBONES[name])(**options, fields=FIELDS, **more)


@pytest.mark.parametrize(("name", "options"), ROWS)
def test_a_row(name, options, tmp_path):
    layer = make(name, options)
    out = layer(X)
    assert out.shape == (16, *layer.compute_output_shape((None, 5))[1:])
    np.testing.assert_array_equal(out, make(name, options)(X), "the same seed")
    np.testing.assert_allclose(layer(X[:1]), out[:1], rtol=1e-4, atol=1e-5)
    # every variable learns, compiled too
    step = tf.function(lambda x: keras.ops.sum(keras.ops.sin(layer(x, training=True))), jit_compile=True)
    with tf.GradientTape() as tape:
        total = step(X)
    assert all(g is not None and np.any(g) for g in tape.gradient(total, layer.trainable_variables))
    np.testing.assert_allclose(total, np.sin(out).sum(), rtol=1e-4)
    # saved and loaded
    inputs = keras.Input((5,))
    keras.Model(inputs, layer(inputs)).save(tmp_path / "m.keras")
    np.testing.assert_array_equal(keras.saving.load_model(tmp_path / "m.keras")(X), out)
    config = layer.get_config()
    again = load(BACKBONES[name]).from_config(json.loads(json.dumps(config))).get_config()
    assert {**again, "dtype": None} == {**config, "dtype": None}
    # in half precision
    halves = make(name, options, dtype="mixed_bfloat16")(tf.cast(X, "bfloat16"))
    assert halves.dtype == "bfloat16"
    np.testing.assert_allclose(tf.cast(halves, "float32"), out, atol=0.25, rtol=0.05)


@pytest.mark.parametrize("name", BACKBONES)
def test_user_once_keeps_its_word(name):
    """Only what passes its input through may be fed the user's and the candidate's part one by one."""
    layer = make(name, {})
    if layer.user_once:
        np.testing.assert_array_equal(layer(X), X)


@pytest.mark.parametrize("name", BACKBONES)
def test_is_documented_and_its_options_can_be_read(name):
    path = BACKBONES[name]
    assert summary(path).endswith(".") and summary(path).count(". ") == 0
    kind = load(path)
    assert issubclass(kind, Backbone)
    parameters = inspect.signature(kind.__init__).parameters.values()
    keyword_only = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
    assert {key: default for key, (_, default) in signature(path).items()} == keyword_only
    assert all(f"{key}: " in kind.__doc__ for key in keyword_only)
