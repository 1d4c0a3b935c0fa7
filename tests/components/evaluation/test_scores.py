from __future__ import annotations

import numpy as np
import pytest

from components.evaluation.scores import COUNTS, METRICS, Scores, measure, why_undefined
from models import recipe

SCORES = Scores(
    labels=np.array([1.0, 0.0, 1.0]),
    predictions=np.array([0.9, 0.2, np.nan]),
    weights=np.array([1.0, 1.0, 0.0]),
    groups=np.array([0, 0, 1]),
)


def test_the_table_knows_every_metric_of_a_recipe():
    assert set(METRICS) == {*recipe.METRICS["binary"], *recipe.METRICS["regression"], *recipe.COUNTS}
    assert COUNTS == recipe.COUNTS


def test_every_metric_by_hand():
    expected = {
        "auc": 1.0,
        "gauc": 1.0,
        "pr_auc": 1.0,
        "log_loss": -(np.log(0.9) + np.log(0.8)) / 2,
        "calibration": 1.1,
        "rmse": np.sqrt((0.1**2 + 0.2**2) / 2),
        "mae": 0.15,
        "example_count": 2,
        "positive_count": 1,
    }
    assert measure(METRICS, SCORES) == pytest.approx(expected)


def test_some_examples():
    part = SCORES.at(np.array([0, 2]))
    assert part.groups.tolist() == [0, 1] and part.labels.tolist() == [1.0, 1.0]
    assert SCORES.at(None) is SCORES
    assert (
        Scores(labels=SCORES.labels, predictions=SCORES.labels, weights=SCORES.labels).at(np.array([0])).groups is None
    )


def test_predictions_that_are_not_finite_leave_only_the_counts():
    broken = SCORES.of(np.array([np.inf, 0.1, 0.1]))
    assert (SCORES.not_finite, broken.not_finite) == (0, 1)
    assert measure(["auc", "rmse", "example_count"], broken) == {"auc": None, "rmse": None, "example_count": 2}


def test_why():
    assert (
        why_undefined("rmse", SCORES.at(np.array([2])), "land = at")
        == "no example of the task is observed in land = at"
    )
    assert why_undefined("auc", SCORES.at(np.array([0])), "it") == "only one class in it: all 1 labels are 1"
