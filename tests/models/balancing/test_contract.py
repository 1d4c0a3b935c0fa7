"""What every row of BALANCERS has to do; a new row is tested by being there."""

import inspect
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.balancing import BALANCERS
from models.balancing.base import GradientCombiner, Weighting
from models.recipe.registry import load, signature, summary

TASKS, WEIGHTS = ("click", "click_cart", "cart"), (1.0, 0.5, 2.0)
LOSSES = np.float32([0.3, 2.0, 0.01])
GRADIENTS = np.random.default_rng(0).normal(size=(3, 40)).astype("float32")

pytestmark = pytest.mark.parametrize("name", BALANCERS)


def make(name, tasks=TASKS, weights=WEIGHTS, seed=1):
    keras.utils.set_random_seed(seed)
    balancer = load(BALANCERS[name])(tasks, weights)
    balancer.build()
    return balancer


def act(balancer, losses, gradients):
    """What the balancer makes of losses or gradients, by its type."""
    if isinstance(balancer, Weighting):
        return balancer(tf.convert_to_tensor(losses))
    return balancer.combine(tf.convert_to_tensor(gradients))


def test_is_of_exactly_one_type(name):
    balancer = make(name)
    assert isinstance(balancer, Weighting) != isinstance(balancer, GradientCombiner)
    assert balancer.tasks == TASKS
    assert balancer.task_weights == WEIGHTS


def test_shape(name):
    out = act(make(name), LOSSES, GRADIENTS)
    assert out.shape == ((3,) if isinstance(make(name), Weighting) else (40,))
    assert np.isfinite(out).all()


def test_one_task(name):
    balancer = make(name, ("click",), (2.0,))
    out = act(balancer, LOSSES[:1], GRADIENTS[:1])
    np.testing.assert_allclose(out, [2.0] if isinstance(balancer, Weighting) else GRADIENTS[0], rtol=1e-6)


def test_follows_the_tasks(name):
    """Two tasks swapped, with their weights: the same, swapped."""
    one = act(make(name, TASKS[:2], (1.0, 0.5)), LOSSES[:2], GRADIENTS[:2])
    other = act(make(name, TASKS[1::-1], (0.5, 1.0)), LOSSES[1::-1].copy(), GRADIENTS[1::-1].copy())
    expected = np.asarray(one)[::-1] if isinstance(make(name), Weighting) else np.asarray(one)
    np.testing.assert_allclose(other, expected, rtol=1e-4, atol=1e-5)


def test_a_task_without_observations(name):
    losses, gradients = LOSSES * [1, 0, 1], GRADIENTS * [[1], [0], [1]]
    out = act(make(name), losses.astype("float32"), gradients.astype("float32"))
    assert np.isfinite(out).all()
    if isinstance(make(name), GradientCombiner):
        lone = act(make(name, ("click", "cart"), (1.0, 2.0)), LOSSES[::2], GRADIENTS[::2])
        np.testing.assert_allclose(out, lone, rtol=1e-4, atol=1e-5)


def test_nothing_observed_moves_nothing(name):
    balancer = make(name)
    losses = tf.zeros(3)
    if isinstance(balancer, GradientCombiner):
        np.testing.assert_array_equal(balancer.combine(tf.zeros((3, 40))), np.zeros(40))
        return
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(balancer(losses) * losses) + sum(balancer.losses)
    for gradient in tape.gradient(total, balancer.trainable_variables):
        np.testing.assert_array_equal(gradient, np.zeros(gradient.shape))


def test_same_seed_same_result(name):
    first, again = make(name), make(name)
    for _ in range(3):
        np.testing.assert_array_equal(act(first, LOSSES, GRADIENTS), act(again, LOSSES, GRADIENTS))


def test_config_round_trip(name):
    config = make(name).get_config()
    again = load(BALANCERS[name]).from_config(json.loads(json.dumps(config))).get_config()
    assert {**again, "dtype": None} == {**config, "dtype": None}


def test_under_jit_compile(name):
    eager, compiled = make(name), make(name)
    step = tf.function(lambda losses, gradients: act(compiled, losses, gradients), jit_compile=True)
    for _ in range(3):
        np.testing.assert_allclose(step(LOSSES, GRADIENTS), act(eager, LOSSES, GRADIENTS), rtol=1e-4, atol=1e-5)


def test_is_documented_and_its_options_can_be_read(name):
    path = BALANCERS[name]
    sentence = summary(path)
    assert sentence.endswith(".")
    assert sentence.count(". ") == 0
    parameters = inspect.signature(load(path).__init__).parameters.values()
    keyword_only = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
    assert {key: default for key, (_, default) in signature(path).items()} == keyword_only


def test_refuses_another_number_of_weights(name):
    with pytest.raises(ValueError, match="3 tasks but 2 weights"):
        make(name, weights=(1.0, 1.0))
