"""What every row of OBJECTIVES has to do; a new row is tested by being there."""

import inspect

import numpy as np
import pytest
import tensorflow as tf
from funnel import clicked

from models.losses.binary_crossentropy import BinaryCrossentropy
from models.losses.task_loss import weighted_mean
from models.objectives import OBJECTIVE, OBJECTIVES
from models.recipe.registry import facts, load, paragraphs, signature, summary

MORE = {"escm2_dr": ("escm2", {"risk": "dr", "normalized": True, "global_weight": 0.5})}
ROWS = {name: (name, {}) for name in OBJECTIVES} | MORE
LOSS = BinaryCrossentropy()


def made(row):
    name, options = ROWS[row]
    return load(OBJECTIVES[name])(**options)


def batch_of(objective, logits, propensity, weights=None):
    rng = np.random.default_rng(3)
    clicks, labels = rng.random(len(logits)) < 0.5, rng.random(len(logits)) < 0.4
    towers = {tower: rng.normal(size=len(logits)) for tower in objective.towers}
    return clicked(clicks, propensity, logits, labels & clicks, weights=weights, towers=towers)


def value_and_gradients(objective, batch):
    with tf.GradientTape() as tape:
        sources = [batch.logits, *batch.towers.values()]
        tape.watch(sources)
        value = weighted_mean(objective.values(batch, LOSS), batch.given.weights)
    return value, tape.gradient(value, sources)


@pytest.mark.parametrize("row", ROWS)
def test_gives_one_finite_number_per_example_even_for_extreme_predictions(row):
    objective = made(row)
    logits, propensity = [-90.0, -20.0, 0.0, 20.0, 90.0, 3.0], [1e-30, 1.0, 0.5, 1.0 - 1e-7, 1.0, 1e-12]
    batch = batch_of(objective, logits, propensity)
    values = objective.values(batch, LOSS)
    assert values.shape == (6,) and values.dtype == tf.float32 and np.isfinite(values).all()
    assert all(np.isfinite(gradient).all() for gradient in value_and_gradients(objective, batch)[1])


@pytest.mark.parametrize("row", ROWS)
def test_is_the_same_compiled_in_one_trace(row):
    objective, traces = made(row), []

    @tf.function(jit_compile=True)
    def compiled(logits):
        traces.append(1)
        return objective.values(batch._replace(logits=logits), LOSS)

    batch = batch_of(objective, np.linspace(-3, 3, 8), np.linspace(0.01, 0.9, 8))
    np.testing.assert_allclose(compiled(batch.logits), objective.values(batch, LOSS), rtol=1e-4, atol=1e-5)
    compiled(batch.logits + 1.0)
    assert len(traces) == 1


@pytest.mark.parametrize("row", ROWS)
def test_examples_of_weight_0_change_nothing(row):
    objective = made(row)
    few = batch_of(objective, np.linspace(-1, 1, 8), np.linspace(0.1, 0.9, 8), [1, 1, 1, 1, 1, 0, 0, 0])
    value, gradients = value_and_gradients(objective, few)
    moved = few._replace(logits=tf.where(few.given.weights > 0, few.logits, 30.0))
    other, of_other = value_and_gradients(objective, moved)
    np.testing.assert_allclose(value, other, rtol=1e-6)
    for gradient, again in zip(gradients, of_other, strict=True):
        np.testing.assert_allclose(gradient[:5], again[:5], rtol=1e-5)
        assert not np.any(gradient[5:])


@pytest.mark.parametrize("row", ROWS)
def test_the_unclicked_take_part(row):
    objective = made(row)
    if row == "escm2":
        pytest.skip("inverse propensities weigh the clicked examples only")
    batch = batch_of(objective, np.linspace(-1, 1, 8), np.linspace(0.1, 0.9, 8))
    _, gradients = value_and_gradients(objective, batch)
    unclicked = ~batch.given.reached.numpy()
    assert unclicked.any() and np.all(gradients[0].numpy()[unclicked] != 0)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_is_documented_and_its_options_can_be_read(name):
    path = OBJECTIVES[name]
    facts(path, OBJECTIVE)
    assert "; suits " in summary(path) and summary(path).endswith(".") and summary(path).count(". ") == 0
    assert any("https://" in text for text in paragraphs(path))
    parameters = inspect.signature(load(path).__init__).parameters.values()
    keyword_only = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
    assert {key: default for key, (_, default) in signature(path).items()} == keyword_only
