from __future__ import annotations

import math

import numpy as np
import pytest

from components.retrieval_evaluation.ratio import Ratio, difference

ONES = np.ones(4)


def test_a_difference_of_means_by_hand():
    """The gaps 1, 0, 0, 1 have the mean 0.5 and the variance 1/3 (n - 1): the error is sqrt(1/3 / 4). t(3) is 3.182446."""
    found = difference(Ratio(np.array([1.0, 0.5, 0.0, 1.0]), ONES), Ratio(np.array([0.0, 0.5, 0.0, 0.0]), ONES))
    assert found is not None
    assert (found.difference, found.standard_error) == pytest.approx((0.5, math.sqrt(1 / 12)))
    assert (found.lower, found.upper) == pytest.approx((0.5 - 0.918693, 0.5 + 0.918693), abs=1e-6)


def test_a_difference_of_ratios_by_hand():
    """(3 - 1) / 4 = 0.5. The influences are (2 - 0.5 * 3) / 4 and (0 - 0.5 * 1) / 4."""
    of_all = np.array([3.0, 1.0])
    one, other = Ratio(np.array([2.0, 1.0]), of_all), Ratio(np.array([0.0, 1.0]), of_all)
    found = difference(one, other)
    assert (one.value, other.value) == (3 / 4, 1 / 4) and found is not None
    assert (found.difference, found.standard_error) == pytest.approx((0.5, math.sqrt(2 * 2 * 0.125**2)))


def test_methods_that_answer_alike_do_not_differ():
    same = Ratio(np.array([0.2, 0.4, 0.9, 0.1]), ONES)
    found = difference(same, same)
    assert found is not None and (found.difference, found.lower, found.upper) == (0.0, 0.0, 0.0)


def test_the_interval_covers_the_true_difference_in_most_samples():
    rng = np.random.default_rng(4)
    covered = 0
    for _ in range(400):
        weights = rng.exponential(size=200)
        one, other = (weights * (rng.random(200) < share) for share in (0.4, 0.3))
        found = difference(Ratio(one, weights), Ratio(other, weights))
        covered += found is not None and found.lower < 0.1 < found.upper
    assert 0.91 < covered / 400 < 0.98


def test_too_few_queries():
    assert difference(Ratio(np.ones(1), np.ones(1)), Ratio(np.zeros(1), np.ones(1))) is None
    assert Ratio(np.zeros(0), np.zeros(0)).value is None
