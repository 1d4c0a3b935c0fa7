"""What is right and wrong about the answers of a served model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from components.probe.answers import differences, faults

TASKS = {"click": "binary", "value": "regression"}


def test_good_answers_have_no_faults() -> None:
    assert faults({"click": np.array([0.0, 1.0]), "value": np.array([-3.0, 1e6])}, TASKS, 2, "batch") == []


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"click": [0.5]}, "batch: expected answers for tasks ['click', 'value'], received ['click']"),
        ({"click": [[0.5]], "value": [1.0]}, "task 'click': expected answers of shape (1,), received (1, 1)"),
        ({"click": [0.5, 0.5], "value": [1.0]}, "task 'click': expected answers of shape (1,), received (2,)"),
        ({"click": [np.nan], "value": [1.0]}, "task 'click': 1 of 1 answers are not finite"),
        ({"click": [0.5], "value": [np.inf]}, "task 'value': 1 of 1 answers are not finite"),
        ({"click": [1.001], "value": [1.0]}, "task 'click': expected probabilities from 0 to 1, received 1.001"),
        ({"click": [-0.5], "value": [1.0]}, "expected probabilities from 0 to 1, received -0.5"),
    ],
)
def test_each_fault_is_told(answers: dict[str, Any], message: str) -> None:
    (fault,) = faults(answers, TASKS, 1, "batch")
    assert message in fault and fault.startswith("batch: ")


def test_equal_within_the_tolerance_absolute_up_to_one_and_relative_above() -> None:
    expected = {"click": [0.5, 0.1], "value": [1000.0, 0.001]}
    good = {"click": np.array([0.50009, 0.1]), "value": np.array([1000.09, 0.00109])}
    assert differences(good, expected, [11, 12], 1e-4, "batch") == []
    bad = {"click": np.array([0.5, 0.10011]), "value": np.array([1000.11, 0.001])}
    click, value = differences(bad, expected, [11, 12], 1e-4, "batch")
    assert "task 'click': 1 of 2 answers" in click and "example 12: served 0.10011, trainer 0.1" in click
    assert "task 'value': 1 of 2 answers" in value and "example 11: served 1000.11, trainer 1000" in value


def test_nan_is_never_equal() -> None:
    assert differences({"click": [np.nan]}, {"click": [0.5]}, [1], 1e9, "batch")
