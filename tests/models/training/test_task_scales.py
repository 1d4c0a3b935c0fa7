"""TaskScales: the constant from which each task starts, by hand."""

from __future__ import annotations

import math

import keras
import numpy as np
import pytest

from models.losses import LOSSES
from models.losses.base import Loss
from models.losses.binary_crossentropy import BinaryCrossentropy
from models.losses.jrc import JRC
from models.losses.ranknet import RankNet
from models.losses.squared_error import SquaredError
from models.losses.zero_inflated_lognormal import ZeroInflatedLognormal
from models.recipe.registry import load
from models.training import task_scales
from models.training.task_scales import TaskScales, constant_loss

NAN = float("nan")


def scales_of(losses: list[Loss], labels: list[list[float]], weights: list[list[float]]) -> TaskScales:
    scales = TaskScales([loss.outputs for loss in losses])
    scales.build()
    scales.start(losses, np.array(labels, np.float32), np.array(weights, np.float32))
    return scales


def test_a_click_in_four_and_amounts_of_two_and_six() -> None:
    losses = [BinaryCrossentropy(), SquaredError()]
    labels = [[1, NAN], [0, 2], [0, 6], [0, NAN]]
    weights = [[1, 0], [1, 1], [1, 1], [1, 0]]
    scales = scales_of(losses, labels, weights)
    logits = scales([np.zeros(2, np.float32), np.array([0, 1], np.float32)])
    # Half an example of each class added: 1.5 of 5. Amounts of mean 4 and standard deviation 2.
    np.testing.assert_allclose(logits[0], [math.log(1.5 / 3.5)] * 2, rtol=1e-6)
    np.testing.assert_allclose(logits[1], [4, 6], rtol=1e-6)
    np.testing.assert_allclose(scales.unit, [1, 4], rtol=1e-6)
    share = 1.5 / 5
    found = scales.constants(losses, np.array(labels, np.float32), np.array(weights, np.float32))
    assert found == pytest.approx([-0.25 * math.log(share) - 0.75 * math.log(1 - share), 1.0])


def test_weights_count() -> None:
    """A positive of weight 3 beside a negative of weight 1: three quarters of two examples."""
    scales = scales_of([BinaryCrossentropy()], [[1], [0]], [[3], [1]])
    assert float(scales.offset.numpy()[0]) == pytest.approx(math.log(2.0 / 1.0))


def test_a_tenth_of_the_negatives_by_hand() -> None:
    """One positive and one negative of ten: log odds of 0 in training, ln 0.1 of all examples, and the constant's loss there."""
    losses, labels, weights = [SquaredError(), BinaryCrossentropy()], [[3, 1], [5, 0]], [[1, 1], [1, 1]]
    scales = TaskScales([1, 1])
    scales.build()
    scales.start(losses, np.array(labels, np.float32), np.array(weights, np.float32), [1.0, 0.1])
    outputs = [np.zeros(1, np.float32), np.full(1, 2, np.float32)]
    np.testing.assert_allclose(np.concatenate(scales(outputs, training=True)), [4, 2], rtol=1e-6)
    for logits in (scales(outputs), scales(outputs, training=False)):
        np.testing.assert_allclose(np.concatenate(logits), [4, 2 + math.log(0.1)], rtol=1e-6)
    np.testing.assert_allclose(np.concatenate(scales.best_constants), [4, math.log(0.1)], rtol=1e-6)
    all_rows = np.array([[4, 1]] + [[4, 0]] * 10, np.float32)
    share = 1 / 11
    entropy = -share * math.log(share) - (1 - share) * math.log(1 - share)
    assert scales.constants(losses, all_rows, np.ones_like(all_rows)) == pytest.approx([0, entropy], abs=1e-6)


def test_several_logits_and_no_unit_of_a_loss_that_can_be_negative() -> None:
    scales = scales_of([ZeroInflatedLognormal()], [[0], [math.e], [math.e**3]], [[1], [1], [1]])
    deviation = math.log(math.expm1(1))  # softplus of it is 1
    np.testing.assert_allclose(scales.offset, [math.log(2.5 / 1.5), 2.0, deviation], rtol=1e-5)
    np.testing.assert_allclose(scales.scale, [1, 1, 1], rtol=1e-5)
    assert scales.unit.numpy().tolist() == [1.0]
    (logits,) = scales([np.zeros((5, 3), np.float32)])
    assert logits.shape == (5, 3)


def test_the_constant_of_a_loss_within_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """A group with a pair, log 2, one without, and a third whose rows lie apart; the same in parts of whole groups."""
    labels, groups = np.float32([1, 1, 0, 1, 0, 0]), np.int32([4, 0, 4, 0, 9, 9])
    weights = np.ones(6, np.float32)
    for rows in (task_scales.ROWS, 2):
        monkeypatch.setattr(task_scales, "ROWS", rows)
        found = constant_loss(RankNet(share=0.25), [0.0], labels, weights, groups)
        assert found == pytest.approx((0.25 + 0.75 * 2 / 6) * math.log(2))
        jrc = constant_loss(JRC(share=0.25), [-1.0, -1.0], labels, weights, groups)
        assert jrc == pytest.approx(math.log(2))
    assert constant_loss(RankNet(share=0.25), [0.0], labels, weights) == pytest.approx(0.25 * math.log(2))
    assert constant_loss(RankNet(), [0.0], labels, 0 * weights, groups) == 0.0


@pytest.mark.parametrize("name", [name for name in LOSSES if name != "huber"])
def test_no_other_constant_near_it_has_a_smaller_loss(name: str) -> None:
    """... up to the half example of each class of the log odds. `huber` starts at the median, which is only near its best."""
    loss = load(LOSSES[name])()
    random = np.random.default_rng(0)
    labels = (random.random(20_001) < 0.2).astype(np.float32)
    if loss.kind == "regression":
        labels *= random.lognormal(0.5, 0.7, 20_001).astype(np.float32)
    weights = np.ones(20_001, np.float32)
    offset = np.array(loss.start(labels, weights).offset)
    best = constant_loss(loss, offset, labels, weights)
    for position in range(loss.outputs):
        for step in (-0.05, 0.05):
            moved = offset.copy()
            moved[position] += step
            assert constant_loss(loss, moved, labels, weights) >= best - 1e-5


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_one_label_everywhere_is_finite(name: str, value: float) -> None:
    loss = load(LOSSES[name])()
    scales = scales_of([loss], [[value]] * 3, [[1.0]] * 3)
    numbers = [keras.ops.convert_to_numpy(one) for one in (scales.offset, scales.scale, scales.unit)]
    assert all(np.isfinite(one).all() for one in numbers) and (numbers[1] > 0).all() and (numbers[2] > 0).all()
