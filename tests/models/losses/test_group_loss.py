"""Every loss within groups against its paper's formula in loops: any groups, weights and order of the rows."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from group_losses import SLOW, slow_values
from hypothesis import given, settings
from hypothesis import strategies as st

from models.losses import LOSS, LOSSES
from models.losses.group_loss import GroupLoss, pieces
from models.losses.task_loss import task_loss
from models.recipe.registry import facts, load

LONGEST = 4


def made(name: str, share: float = 0.25, longest: int = LONGEST) -> GroupLoss:
    return load(LOSSES[name])(share=share, **({} if name == "jrc" else {"longest": longest}))


@st.composite
def batches(draw: st.DrawFn) -> tuple[np.ndarray, ...]:
    """Logits (batch, 2), labels, weights, groups; half of the groups are longer than LONGEST."""
    rows, seed = draw(st.integers(1, 14)), draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    groups = random.choice(draw(st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=4, unique=True)), rows)
    labels = random.choice([0.0, 1.0] if draw(st.booleans()) else [0.0, 0.25, 1.0], rows)
    weights = random.choice([0.0, 1.0, 1.0, 2.5], rows)
    return random.normal(scale=2.0, size=(rows, 2)), labels, weights, groups.astype(np.int32)


def logits_of(name: str, logits: np.ndarray) -> np.ndarray:
    return logits if name == "jrc" else logits[:, 0]


def test_the_table_s_losses_within_groups_are_known_here() -> None:
    assert {name for name, path in LOSSES.items() if facts(path, LOSS)["within_group"]} == set(SLOW)
    assert {name for name, path in LOSSES.items() if issubclass(load(path), GroupLoss)} == set(SLOW)


@pytest.mark.parametrize("name", SLOW)
@settings(max_examples=60)
@given(batch=batches())
def test_is_the_formula(name: str, batch: tuple[np.ndarray, ...]) -> None:
    logits, labels, weights, groups = batch
    logits = logits_of(name, logits)
    found = made(name).group_value(
        tf.constant(logits, tf.float32), labels.astype("float32"), weights.astype("float32"), groups
    )
    expected = slow_values(name, 0.25, LONGEST, logits, labels, weights, groups)
    np.testing.assert_allclose(np.where(weights > 0, found, 0), expected, rtol=2e-4, atol=1e-5)


@pytest.mark.parametrize("name", SLOW)
def test_its_gradient_is_that_of_the_formula(name: str) -> None:
    """By finite differences, through the weighted mean; the row of weight 0 has a label that is no number."""
    random = np.random.default_rng(0)
    logits, groups = logits_of(name, random.normal(size=(9, 2))), np.int32([8, 3, 3, 8, 3, 0, 8, 3, 3])
    labels, weights = np.array([1, 0, 1, 0, 0, 1, 0, 1, np.nan]), np.array([1, 2, 1, 1, 0.5, 1, 1, 1, 0])
    given = tf.constant(logits, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(given)
        value = task_loss(made(name), given, np.float32(labels), np.float32(weights), groups)

    def slow(moved: np.ndarray) -> float:
        return weights @ slow_values(name, 0.25, LONGEST, moved, labels, weights, groups) / weights.sum()

    assert float(value) == pytest.approx(slow(logits), rel=1e-5)
    gradient, step = np.zeros(logits.shape), 1e-6
    for place in np.ndindex(logits.shape):
        up, down = logits.copy(), logits.copy()
        up[place] += step
        down[place] -= step
        gradient[place] = (slow(up) - slow(down)) / (2 * step)
    np.testing.assert_allclose(tape.gradient(value, given), gradient, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", SLOW)
def test_the_order_of_the_rows_and_the_codes_say_nothing(name: str) -> None:
    random = np.random.default_rng(1)
    logits, labels = np.float32(logits_of(name, random.normal(size=(40, 2)))), np.float32(random.integers(0, 2, 40))
    weights, groups = np.float32(random.choice([0, 1, 3], 40)), random.integers(0, 5, 40).astype(np.int32)
    loss, order = made(name, longest=40), random.permutation(40)
    codes = np.int32([2**31 - 1, 7, 0, 1000, 5])
    value = task_loss(loss, logits, labels, weights, groups)
    other = task_loss(loss, logits[order], labels[order], weights[order], codes[groups][order])
    assert float(other) == pytest.approx(float(value), rel=1e-5)


@pytest.mark.parametrize("name", SLOW)
def test_under_jit_compile_and_far_out(name: str) -> None:
    """Also where exp of the logits has no float32."""
    random = np.random.default_rng(2)
    groups, labels = random.integers(0, 9, 64).astype(np.int32), np.float32(random.integers(0, 2, 64))
    weights = np.float32(random.choice([0, 1], 64))
    loss = made(name, longest=8)

    def both(logits: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(logits)
            value = task_loss(loss, logits, labels, weights, groups)
        return value, tape.gradient(value, logits)

    compiled = tf.function(both, jit_compile=True)
    for size in (1.0, 200.0):
        logits = tf.constant(logits_of(name, random.normal(scale=size, size=(64, 2))), tf.float32)
        for found, expected in zip(compiled(logits), both(logits), strict=True):
            assert np.isfinite(found).all()
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", SLOW)
def test_without_groups_each_row_is_its_own(name: str) -> None:
    logits = np.float32(logits_of(name, np.random.default_rng(3).normal(size=(6, 2))))
    labels, weights = np.float32([0, 1, 0, 1, 1, 0]), np.float32([1, 1, 0, 2, 1, 1])
    alone = task_loss(made(name), logits, labels, weights)
    apart = task_loss(made(name), logits, labels, weights, np.arange(6, dtype=np.int32))
    together = task_loss(made(name), logits, labels, weights, np.zeros(6, np.int32))
    assert float(alone) == pytest.approx(float(apart), rel=1e-6)
    assert float(together) > float(alone)


def test_pieces_by_hand() -> None:
    groups, weights = np.int32([9, 4, 9, 9, 4, 9]), np.float32([1, 1, 1, 0, 1, 1])
    np.testing.assert_array_equal(pieces(groups, weights), [2, 1, 2, 0, 1, 2])
    np.testing.assert_array_equal(pieces(groups, weights, 2), [2, 1, 2, 0, 1, 3])
