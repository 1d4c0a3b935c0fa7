"""What every row of REGULARIZERS has to do; a new row is tested by being there."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf
from tasks import binary

from models.architectures.encoded import Encoded
from models.architectures.mmoe import MMoE
from models.recipe.registry import load, signature, summary
from models.regularizers import REGULARIZERS
from models.regularizers.base import Regularizer, RepresentationRegularizer, RowRegularizer, TaskRegularizer

pytestmark = pytest.mark.parametrize("name", REGULARIZERS)


def costed(name):
    """What a regularizer of its type is of: the architecture's variables, rows with their shares and frequencies,
    kernels of tasks, or representations of two views."""
    if issubclass(load(REGULARIZERS[name]), RepresentationRegularizer):
        views = np.random.default_rng(1).normal(size=(2, 6, 3)).astype("float32")
        return [tf.Variable(view) for view in views]
    if issubclass(load(REGULARIZERS[name]), TaskRegularizer):
        rng = np.random.default_rng(1)
        shapes = ((3, 4, 2), (3, 2, 1))
        return [[tf.constant(rng.normal(size=shape), "float32") for shape in shapes], ("a", "b", "c")]
    if issubclass(load(REGULARIZERS[name]), RowRegularizer):
        rows = np.random.default_rng(1).normal(size=(4, 2)).astype("float32")
        return [tf.Variable(rows), tf.constant([0.5, 1.0, 0.5, 0.0]), tf.constant([2.0, 1.0, 2.0, 1.0])]
    keras.utils.set_random_seed(1)
    architecture = MMoE(binary("a", "b"), experts=2, units=(3,))
    architecture.build(Encoded((None, 2)))
    return [architecture.trainable_variables]


def test_is_of_exactly_one_type(name):
    regularizer = load(REGULARIZERS[name])()
    types = (Regularizer, RowRegularizer, TaskRegularizer, RepresentationRegularizer)
    assert sum(isinstance(regularizer, type_) for type_ in types) == 1


def test_is_a_finite_scalar_with_a_gradient(name):
    regularizer, given = load(REGULARIZERS[name])(), costed(name)
    with tf.GradientTape() as tape:
        if isinstance(regularizer, TaskRegularizer):
            tape.watch(given[0])
        cost = regularizer.call(*given)
    assert cost.shape == ()
    assert np.isfinite(cost)
    gradients = [g for g in tf.nest.flatten(tape.gradient(cost, given[0])) if g is not None]
    assert gradients
    assert all(np.isfinite(g).all() for g in gradients)


def test_nothing_costs_nothing(name):
    regularizer = load(REGULARIZERS[name])()
    if isinstance(regularizer, RepresentationRegularizer):  # its batches have examples
        return
    nothing = [tf.zeros((0, 2)), tf.zeros(0), tf.zeros(0)] if isinstance(regularizer, RowRegularizer) else [[]]
    nothing += [("a",)] if isinstance(regularizer, TaskRegularizer) else []
    assert regularizer.call(*nothing) == 0


def test_under_jit_compile(name):
    regularizer, given = load(REGULARIZERS[name])(), costed(name)
    compiled = tf.function(lambda: regularizer.call(*given), jit_compile=True)
    np.testing.assert_allclose(compiled(), regularizer.call(*given), rtol=1e-5)


def test_config_round_trip(name):
    config = load(REGULARIZERS[name])().get_config()
    assert config == {key: default for key, (_, default) in signature(REGULARIZERS[name]).items()}
    changed = {key: value / 2 for key, value in config.items() if isinstance(value, float)}
    assert load(REGULARIZERS[name]).from_config({**config, **changed}).get_config() == {**config, **changed}


def test_is_documented_and_its_options_can_be_read(name):
    path = REGULARIZERS[name]
    assert summary(path).endswith(".")
    parameters = inspect.signature(load(path).__init__).parameters.values()
    keyword_only = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
    assert {key: default for key, (_, default) in signature(path).items()} == keyword_only
