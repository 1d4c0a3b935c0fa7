"""The average of the weights, by hand, and its place in a training."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from models.training.weight_average import ETA, WeightAverage, steps_between


def test_the_first_weights_then_a_growing_window() -> None:
    variable, average = keras.Variable(np.zeros(2, np.float32)), WeightAverage()
    average.build([(2,)])
    average.exchange([variable])
    assert variable.numpy().tolist() == [0, 0], "nothing to exchange before the first update"
    expected = None
    for n, value in enumerate([[1.0, 4.0], [2.0, 0.5], [5.0, -1.0]], start=1):
        variable.assign(value)
        average.update([variable])
        part = (1 + ETA) / (n + ETA)
        expected = np.array(value) if expected is None else expected + part * (np.array(value) - expected)
    np.testing.assert_allclose(average.averages[0], expected, rtol=1e-6)
    average.exchange([variable])
    np.testing.assert_allclose(variable, expected, rtol=1e-6)
    average.exchange([variable])
    assert variable.numpy().tolist() == [5.0, -1.0]


@pytest.mark.parametrize(("weights", "steps"), [(100, 10), (5_000_000, 10), (100_000_000, 200)])
def test_a_large_table_is_passed_over_less_often(weights: int, steps: int) -> None:
    assert steps_between(weights) == steps
