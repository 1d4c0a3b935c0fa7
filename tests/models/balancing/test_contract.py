"""What every row of BALANCERS has to do, and a balancer from outside; a new row is tested by being there."""

import inspect
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.balancing import BALANCERS
from models.balancing.base import GradientCombiner, Weighting
from models.balancing.evidence import Evidence
from models.recipe.registry import load, path_of, signature, summary

TASKS, WEIGHTS = ("click", "click_cart", "cart"), (1.0, 0.5, 2.0)
LOSSES = np.float32([0.3, 2.0, 0.01])
GRADIENTS = np.random.default_rng(0).normal(size=(3, 40)).astype("float32")


class Largest(Weighting):
    """All weight on the task with the largest loss: known to no table.

    Args:
        sharp: multiplies the weight.
    """

    def __init__(self, tasks, weights, *, sharp: float = 1.0, **layer):
        super().__init__(tasks, weights, **layer)
        self.sharp = sharp

    def weigh(self, evidence):
        fixed = keras.ops.convert_to_tensor(self.task_weights)
        return self.sharp * fixed * keras.ops.one_hot(keras.ops.argmax(evidence.losses), len(self.tasks))

    def get_config(self):
        return {**super().get_config(), "sharp": self.sharp}


pytestmark = pytest.mark.parametrize("name", [*BALANCERS, f"{__name__}.Largest"])


def path(name):
    return path_of(name, BALANCERS, "balancer")


def make(name, tasks=TASKS, weights=WEIGHTS, seed=1):
    keras.utils.set_random_seed(seed)
    balancer = load(path(name))(tasks, weights)
    balancer.build()
    return balancer


def act(balancer, losses, gradients, observed=None):
    """What the balancer makes of a batch, by its type."""
    evidence = Evidence(
        losses=tf.convert_to_tensor(losses),
        observed=tf.ones(len(losses), bool) if observed is None else tf.constant(observed),
        gradients=None if balancer.over is None or gradients is None else tf.convert_to_tensor(gradients),
        step=tf.constant(0, "int64"),
    )
    return balancer(evidence=evidence) if isinstance(balancer, Weighting) else balancer.combine(evidence)


def test_is_of_exactly_one_type(name):
    balancer = make(name)
    assert isinstance(balancer, Weighting) != isinstance(balancer, GradientCombiner)
    assert balancer.over in (
        ("shared", "encoded") if isinstance(balancer, GradientCombiner) else ("shared", "last_shared", None)
    )
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
    out = act(make(name), losses.astype("float32"), gradients.astype("float32"), [True, False, True])
    assert np.isfinite(out).all()
    if isinstance(make(name), GradientCombiner):
        lone = act(make(name, ("click", "cart"), (1.0, 2.0)), LOSSES[::2], GRADIENTS[::2])
        np.testing.assert_allclose(out, lone, rtol=1e-4, atol=1e-5)


def test_nothing_observed_moves_nothing(name):
    balancer = make(name)
    state = [variable for variable in balancer.variables if variable.name != "seed_generator_state"]
    before = [np.array(variable) for variable in state]
    losses, nothing = tf.zeros(3), [False] * 3
    if isinstance(balancer, GradientCombiner):
        np.testing.assert_array_equal(act(balancer, losses, np.zeros((3, 40), "float32"), nothing), np.zeros(40))
        return
    with tf.GradientTape() as tape:
        weights = act(balancer, losses, np.zeros((3, 40), "float32"), nothing)
        total = tf.reduce_sum(weights * losses) + sum(balancer.losses)
    for gradient in tape.gradient(total, balancer.trainable_variables):
        np.testing.assert_array_equal(gradient, np.zeros(gradient.shape))
    for old, variable in zip(before, state, strict=True):
        np.testing.assert_array_equal(old, variable)


def test_nothing_shared(name):
    """An architecture without the variables that `over` names: a Weighting then sees no gradients."""
    if isinstance(make(name), Weighting):
        out = act(make(name), LOSSES, None)
        assert out.shape == (3,)
        assert np.isfinite(out).all()


def test_same_seed_same_result(name):
    first, again = make(name), make(name)
    for _ in range(3):
        np.testing.assert_array_equal(act(first, LOSSES, GRADIENTS), act(again, LOSSES, GRADIENTS))


def test_config_round_trip(name):
    config = make(name).get_config()
    again = load(path(name)).from_config(json.loads(json.dumps(config))).get_config()
    assert {**again, "dtype": None} == {**config, "dtype": None}


def test_under_jit_compile(name):
    eager, compiled = make(name), make(name)
    step = tf.function(lambda losses, gradients: act(compiled, losses, gradients), jit_compile=True)
    for _ in range(3):
        np.testing.assert_allclose(step(LOSSES, GRADIENTS), act(eager, LOSSES, GRADIENTS), rtol=1e-4, atol=1e-5)


def test_half_precision_changes_nothing(name):
    """Weights and state are float32 whatever the network's precision."""
    full = make(name)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        half = make(name)
    finally:
        keras.config.set_dtype_policy("float32")
    for scale in np.float32([1.0, 0.7, 0.3]):
        np.testing.assert_array_equal(act(half, scale * LOSSES, GRADIENTS), act(full, scale * LOSSES, GRADIENTS))


def test_is_documented_and_its_options_can_be_read(name):
    at = path(name)
    sentence = summary(at)
    assert sentence.endswith(".")
    assert sentence.count(". ") == 0
    parameters = inspect.signature(load(at).__init__).parameters.values()
    keyword_only = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
    assert {key: default for key, (_, default) in signature(at).items()} == keyword_only


def test_refuses_another_number_of_weights(name):
    with pytest.raises(ValueError, match="3 tasks but 2 weights"):
        make(name, weights=(1.0, 1.0))
