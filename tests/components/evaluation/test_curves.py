from __future__ import annotations

import numpy as np
import pytest

from components.evaluation.curves import curves
from components.evaluation.ranking import falling_order, observed
from components.evaluation.scores import Scores
from tests.doubles import metric_oracle


def of(labels, predictions, weights=None, least=1 << 18):
    labels, predictions = np.asarray(labels, np.float64), np.asarray(predictions, np.float64)
    weights = np.ones(len(labels)) if weights is None else np.asarray(weights, np.float64)
    scores = Scores(labels=labels, predictions=predictions, weights=weights)
    return curves(falling_order(*observed(scores), least))


def test_by_hand():
    found = of([1, 0, 1, 0], [0.9, 0.6, 0.6, 0.1])
    assert found["roc"] == {"false_positive_rate": [0, 0, 0.5, 1], "true_positive_rate": [0, 0.5, 1, 1]}
    assert found["precision_recall"] == {
        "recall": [0.5, 1, 1],
        "precision": [1, pytest.approx(2 / 3, abs=1e-6), 0.5],
    }
    assert found["reliability"] == {"prediction": [0.9, 0.6, 0.1], "label": [1, 0.5, 0], "examples": [1, 2, 1]}
    assert found["lift"] == {"share": [0.25, 0.75, 1], "lift": [2, 1, 0], "gain": [0.5, 1, 1]}
    assert np.flatnonzero(found["histogram"]["positive"]).tolist() == [12, 18]
    assert found["histogram"]["negative"][2] == 0.5


@pytest.mark.parametrize("weights", [(1.0,), (0.0, 0.5, 2.0)])
def test_the_areas_below_and_the_sizes(weights):
    random = np.random.default_rng(1)
    predictions = random.beta(2, 10, 20_000)
    labels = (random.random(20_000) < predictions).astype(np.float64)
    drawn = random.choice(weights, 20_000)
    found = of(labels, predictions, drawn)
    roc = found["roc"]
    assert len(roc["true_positive_rate"]) <= 200
    area = np.trapezoid(roc["true_positive_rate"], roc["false_positive_rate"])
    assert area == pytest.approx(metric_oracle.auc(labels, predictions, drawn), abs=2e-4)
    assert len(found["reliability"]["label"]) == 20 and len(found["lift"]["lift"]) == 10
    assert sum(found["reliability"]["examples"]) == np.count_nonzero(drawn)
    assert found["reliability"]["label"] == pytest.approx(found["reliability"]["prediction"], abs=0.05)
    assert np.mean(found["lift"]["lift"]) == pytest.approx(1.0, abs=1e-3) and found["lift"]["gain"][-1] == 1.0
    assert sum(found["histogram"]["positive"]) == pytest.approx(1.0, abs=1e-4)
    # several passes give the same
    several = of(labels, predictions, drawn, least=3000)
    for name, columns in found.items():
        for column, values in columns.items():
            assert several[name][column] == pytest.approx(values, abs=2e-6)


def test_without_both_classes_there_are_none():
    assert of([1, 1], [0.2, 0.3]) is None and of([], []) is None
    assert of([1, 0], [0.2, 0.3], [1, 0]) is None
