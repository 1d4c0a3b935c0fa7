"""What every row of LOSSES has to do, and a loss from outside; a new row is tested by being there.

The test of a row, test_NAME.py, has its OPTIMUM, worked by hand: (labels, the logits at which their mean loss is least,
the prediction there).
"""

from __future__ import annotations

import importlib.util
import inspect
import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from models.losses import LOSS, LOSSES
from models.losses.base import Loss
from models.losses.task_loss import task_loss
from models.recipe.registry import check_options, facts, load, signature, summary

OUTSIDE = "outside_losses.GammaPlus"
# Labels 1 and e^2: the rate is their mean, the guess the mean of their logarithms.
OUTSIDE_OPTIMUM = ((1.0, np.e**2), (np.log((1 + np.e**2) / 2), 1.0), (1 + np.e**2) / 2)
PATHS = {**LOSSES, "outside": OUTSIDE}

pytestmark = pytest.mark.parametrize("name", PATHS)


def make(name: str) -> Loss:
    return load(PATHS[name])()


def optimum(name: str) -> tuple[np.ndarray, np.ndarray, float]:
    """labels (batch,), the best logits of each, prediction."""
    labels, logits, prediction = OUTSIDE_OPTIMUM if name == "outside" else _own_test(name).OPTIMUM
    logits = np.broadcast_to(np.float32(logits), (len(labels), *np.shape(logits)))
    return np.float32(labels), logits, prediction


def _own_test(name: str):
    spec = importlib.util.spec_from_file_location(f"{name}_optimum", Path(__file__).with_name(f"test_{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def logits_of(name: str, rows: int, size: float = 1.0) -> np.ndarray:
    outputs = facts(PATHS[name], LOSS)["outputs"]
    shape = (rows,) if outputs == 1 else (rows, outputs)
    return np.random.default_rng(0).normal(scale=size, size=shape).astype("float32")


def labels_of(name: str) -> np.ndarray:
    """Labels that the loss is defined for, from its limit up to large ones."""
    about = facts(PATHS[name], LOSS)
    if about["kind"] == "binary":
        return np.float32([0, 1, 0.25])
    if about["above"] is not None:
        return np.float32([about["above"] + 1e-3, about["above"] + 1, 1e4])
    least = about["at_least"]
    return np.float32([-1e4 if least is None else least, 0.5, 1.0, 1e4])


def value_and_gradient(loss: Loss, logits: np.ndarray, labels: np.ndarray, weights: np.ndarray, **function: bool):
    def both(z, y, w):
        with tf.GradientTape() as tape:
            tape.watch(z)
            value = task_loss(loss, z, y, w)
        return value, tape.gradient(value, z)

    tensors = [tf.constant(array, tf.float32) for array in (logits, labels, weights)]
    value, gradient = tf.function(both, **function)(*tensors) if function else both(*tensors)
    return value.numpy(), gradient.numpy()


def test_is_least_where_its_test_says(name):
    labels, logits, prediction = optimum(name)
    loss, weights = make(name), np.ones(len(labels))
    best, gradient = value_and_gradient(loss, logits, labels, weights)
    for sign in (-1, 1):
        for output in range(loss.outputs):
            step = np.eye(loss.outputs, dtype="float32")[output] * sign * 0.05
            other, _ = value_and_gradient(loss, logits + (step if logits.ndim == 2 else step[0]), labels, weights)
            assert other > best
    np.testing.assert_allclose(gradient.sum(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(loss.prediction(logits), np.full(len(labels), prediction), rtol=1e-5)


def test_value_and_prediction_are_float32_of_the_batch(name):
    labels, loss = labels_of(name), make(name)
    logits = logits_of(name, len(labels))
    for out in (loss.value(logits, labels), loss.prediction(logits)):
        assert (out.shape, out.dtype) == (labels.shape, "float32")


@pytest.mark.parametrize("size", [1.0, 10.0])
def test_value_and_gradient_are_finite_on_its_labels(name, size):
    labels, loss = labels_of(name), make(name)
    value, gradient = value_and_gradient(loss, logits_of(name, len(labels), size), labels, np.ones(len(labels)))
    assert np.isfinite(value) and np.isfinite(gradient).all() and gradient.any()


def test_says_truly_whether_it_can_be_below_0(name):
    labels, loss = labels_of(name), make(name)
    values = [np.array(loss.value(logits_of(name, len(labels), size), labels)) for size in (0.1, 1.0, 3.0, 10.0)]
    _, logits, _ = optimum(name)
    least = min(np.min(values), np.min(loss.value(logits, optimum(name)[0])))
    assert loss.negative == bool(least < -1e-6)


@pytest.mark.parametrize("label", [np.nan, np.inf, -5.0])
def test_masked_rows_move_nothing(name, label):
    """Whatever stands in a row of weight 0: labels that are no number, logits whose exp overflows."""
    loss, logits = make(name), logits_of(name, 3)
    logits[1] = 200.0
    weights = np.float32([1, 0, 3])
    value, gradient = value_and_gradient(loss, logits, np.float32([1, label, 0.75]), weights)
    seen = np.array(loss.value(logits[[0, 2]], np.float32([1, 0.75])))
    np.testing.assert_allclose(value, (seen[0] + 3 * seen[1]) / 4, rtol=1e-6)
    assert np.isfinite(gradient).all()
    assert not gradient[1].any() and gradient[0].any() and gradient[2].any()


def test_an_empty_mask_gives_0_and_no_gradient(name):
    value, gradient = value_and_gradient(make(name), logits_of(name, 2, 200), np.float32([np.nan, 1]), np.zeros(2))
    assert value == 0
    np.testing.assert_array_equal(gradient, np.zeros_like(gradient))


def test_under_jit_compile(name):
    labels = np.append(labels_of(name), np.float32(np.nan))
    case = (make(name), logits_of(name, len(labels)), labels, np.append(np.ones(len(labels) - 1), 0.0))
    for eager, compiled in zip(value_and_gradient(*case), value_and_gradient(*case, jit_compile=True), strict=True):
        np.testing.assert_allclose(compiled, eager, rtol=1e-4, atol=1e-6)


def test_is_documented_and_made_of_its_path_and_options(name):
    """A model's file keeps a loss by its name or path and its options: `validate` reads them all, with their types, from the source."""
    kind = load(PATHS[name])
    assert issubclass(kind, Loss)
    options = signature(PATHS[name])
    assert set(inspect.signature(kind).parameters) == set(options)
    defaults = {option: default for option, (_, default) in options.items()}
    assert check_options(defaults, PATHS[name], "here") == defaults
    assert kind(**json.loads(json.dumps(defaults))).outputs == kind.outputs
    sentence = summary(PATHS[name])
    assert sentence.endswith(".") and sentence.count(". ") == 0


def test_its_facts_are_its_own(name):
    about, kind = facts(PATHS[name], LOSS), load(PATHS[name])
    assert dict(about) == {fact: getattr(kind, fact) for fact in Loss.__annotations__}
    assert about["kind"] in ("binary", "regression") and about["outputs"] >= 1


@pytest.mark.parametrize("share", [0.25, 0.9])
def test_says_truly_whether_it_is_linear_in_the_label(name, share):
    """The gradient of a mixed label is the mixture of the gradients: then labels can be mixed with a teacher's predictions."""
    loss = make(name)
    if loss.within_group:
        pytest.skip("what a label means depends on those of its group")
    labels = np.repeat(np.float32([[0, 1] if loss.kind == "binary" else [0.5, 4]]), 16, axis=0)
    logits, ones = logits_of(name, 16), np.ones(16, np.float32)
    mixed = (1 - share) * labels[:, 0] + share * labels[:, 1]
    of_first, of_second, of_mixed = (
        value_and_gradient(loss, logits, each, ones)[1] for each in (labels[:, 0], labels[:, 1], mixed)
    )
    difference = np.abs(of_mixed - ((1 - share) * of_first + share * of_second)).max()
    assert loss.linear == bool(difference < 1e-6 * np.abs(of_mixed).max())
