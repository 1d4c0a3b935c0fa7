from __future__ import annotations

import numpy as np

from components.evaluation.runs import Ordered, number_runs, positive_runs

# Two segments; predictions 9 9 7 | 7 5 5 5
POSITIVE = np.array([1, 0, 1, 0, 1, 1, 0], np.bool_)
RUNS = number_runs(np.array([9, 9, 7, 7, 5, 5, 5]))
FIRSTS = np.array([0, 3])


def test_numbers_change_with_any_key():
    assert number_runs(np.array([9, 9, 7, 7]), np.array([1, 2, 2, 2])).tolist() == [0, 1, 2, 2]
    assert number_runs(np.array([])).tolist() == []


def test_by_hand():
    found = positive_runs(Ordered(positive=POSITIVE, weights=None, runs=RUNS), FIRSTS)
    # the tie of 7 is cut where the segment ends, and its negative is a run that nobody needs
    assert found.segments.tolist() == [0, 0, 1]
    assert found.weights.tolist() == [2, 1, 3] and found.positives.tolist() == [1, 1, 2]
    assert found.above.tolist() == [0, 2, 1] and found.positives_above.tolist() == [0, 1, 0]
    # negatives of the segments: 1 and 2, less those above
    assert found.pairs(np.array([1.0, 0.0, 1.0])).tolist() == [0.5, 0.0, 1.0]


def test_with_weights_by_hand():
    weights = np.array([2.0, 1.0, 3.0, 4.0, 1.0, 2.0, 5.0])
    found = positive_runs(Ordered(positive=POSITIVE, weights=weights, runs=RUNS), FIRSTS)
    assert found.weights.tolist() == [3, 3, 8] and found.positives.tolist() == [2, 3, 3]
    assert found.above.tolist() == [0, 3, 4] and found.positives_above.tolist() == [0, 2, 0]


def test_without_a_positive():
    for weights in (None, np.ones(7)):
        found = positive_runs(Ordered(positive=np.zeros(7, np.bool_), weights=weights, runs=RUNS), FIRSTS)
        assert found.segments.shape == found.positives.shape == found.above.shape == (0,)
