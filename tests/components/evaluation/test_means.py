from __future__ import annotations

import numpy as np
import pytest

from components.evaluation import means
from components.evaluation.means import QUOTIENTS, sums
from components.evaluation.slices import Slicing, one_slice

LABELS, PREDICTIONS = np.array([1.0, 0.0, 1.0, 0.0]), np.array([0.5, 0.25, 0.9, 0.4])
WEIGHTS = np.array([1.0, 2.0, 0.0, 1.0])
# slice b: examples 0 and 1; slice a: example 2, which nobody observed; example 3 is in none
SLICING = Slicing(codes=np.array([1, 1, 0, 2], np.uint8), values=(("a",), ("b",)))


def test_by_hand():
    [found] = sums(LABELS, PREDICTIONS, WEIGHTS, [SLICING], QUOTIENTS)
    assert found.examples.tolist() == [0, 2] and found.positives.tolist() == [0, 1]
    assert found.not_finite.tolist() == [0, 0]
    expected = {
        "log_loss": -(np.log(0.5) + 2 * np.log(0.75)) / 3,
        "calibration": 1.0,
        "rmse": np.sqrt((0.25 + 2 * 0.0625) / 3),
        "mae": 1 / 3,
    }
    assert {name: values[1] for name, values in found.means.items()} == pytest.approx(expected)
    assert all(np.isnan(values[0]) for values in found.means.values())


def test_only_what_is_asked_for():
    [found] = sums(LABELS, PREDICTIONS, WEIGHTS, [SLICING], ["auc", "mae"])
    assert list(found.means) == ["mae"]


def test_predictions_that_are_not_finite_are_counted_where_observed():
    broken = np.array([np.nan, 0.25, np.inf, 0.4])
    [found, other] = sums(LABELS, broken, WEIGHTS, [SLICING, one_slice(np.ones(4, np.bool_))], ["mae"])
    assert found.not_finite.tolist() == [0, 1] and other.not_finite.tolist() == [1]


def test_a_certain_error_costs_the_floor():
    [found] = sums(
        np.array([1.0, 0.0]), np.array([0.0, 1.0]), np.ones(2), [one_slice(np.ones(2, np.bool_))], ["log_loss"]
    )
    assert found.means["log_loss"][0] == pytest.approx(-np.log(1e-7), rel=1e-6)


def test_in_chunks(monkeypatch):
    generator = np.random.default_rng(1)
    arguments = generator.random(100), generator.random(100), generator.choice([0.0, 1.0, 2.0], 100)
    slicing = Slicing(codes=generator.integers(0, 4, 100).astype(np.uint8), values=(("a",), ("b",), ("c",)))
    [whole] = sums(*arguments, [slicing], QUOTIENTS)
    monkeypatch.setattr(means, "CHUNK_ROWS", 7)
    [found] = sums(*arguments, [slicing], QUOTIENTS)
    np.testing.assert_array_equal(found.examples, whole.examples)
    for name in QUOTIENTS:
        np.testing.assert_allclose(found.means[name], whole.means[name], rtol=1e-12)
