"""The paired comparison: nulls pass, planted losses are refused, and the difference is that of the two metrics."""

from __future__ import annotations

import numpy as np
import pytest

from components.evaluation.best import loss_to
from components.evaluation.paired import below, difference, differences
from components.evaluation.slices import Slicing
from tests.doubles import metric_oracle

TOLERANCE, CONFIDENCE = 0.002, 0.95


def drawn(random, rows=6000, noise=(0.3, 0.3)):
    """Labels of users, and two models' predictions: the true logit with noise of the model's own, 12 % positives."""
    users = random.integers(0, rows // 6, rows)
    logits = -2.4 + 0.6 * random.normal(size=rows // 6)[users] + random.normal(size=rows)
    labels = (random.random(rows) < 1.0 / (1.0 + np.exp(-logits))).astype(np.float32)
    a, b = (1.0 / (1.0 + np.exp(-logits - size * random.normal(size=rows))) for size in noise)
    return labels, np.ones(rows, np.float32), a.astype(np.float32), b.astype(np.float32), users


def refusals(metric, noise, tolerance, runs=100):
    random = np.random.default_rng(11)
    count = 0
    for _ in range(runs):
        labels, weights, a, b, users = drawn(random, noise=noise)
        count += below(difference(metric, labels, weights, a, b, users), tolerance, CONFIDENCE)
    return count


@pytest.mark.parametrize("metric", ["auc", "log_loss", "gauc"])
def test_a_null_passes(metric):
    """Two equally good models differ by chance: at most 5 of 100 are refused."""
    assert refusals(metric, (0.3, 0.3), TOLERANCE) <= 5


def test_a_transfer_is_refused():
    """Noise of 1.2 instead of .3 costs about .07 AUC; nearly all of 100 comparisons on 6,000 rows see it."""
    assert refusals("auc", (1.2, 0.3), TOLERANCE) >= 98


def test_a_loss_within_the_tolerance_passes():
    assert refusals("auc", (1.2, 0.3), 0.08) == 0


def test_without_tolerance_one_in_twenty_nulls_is_refused():
    """The bound is exact: not too wide either."""
    assert 1 <= refusals("auc", (0.3, 0.3), 0.0) <= 11


@pytest.mark.parametrize("metric", ["auc", "pr_auc", "gauc", "log_loss", "calibration", "rmse", "mae"])
def test_the_difference_and_its_error(metric):
    """The loss is that of the definitions; the error is that of 400 multinomial samples of the users."""
    random = np.random.default_rng(12)
    labels, weights, a, b, users = drawn(random, rows=1800, noise=(0.8, 0.2))
    found = difference(metric, labels, weights, a, b, users)
    groups = (users,) if metric == "gauc" else ()
    oracle = getattr(metric_oracle, metric)

    def loss(w):
        return loss_to(metric, oracle(labels, a, w, *groups), oracle(labels, b, w, *groups))

    assert found.loss == pytest.approx(loss(weights)) and found.loss == loss_to(metric, found.a, found.b)
    counts = random.multinomial(300, np.full(300, 1.0 / 300.0), 400)[:, users].astype(np.float64)
    expected = np.std([loss(w) for w in counts])
    if metric == "calibration":  # |b - 1| bends at 1, where b is: the larger error of both sides
        assert found.standard_error >= expected
    else:
        assert found.standard_error == pytest.approx(expected, rel=0.12)


def test_a_model_is_not_below_itself():
    labels, weights, a, _, users = drawn(np.random.default_rng(13), rows=600)
    found = difference("auc", labels, weights, a, a, users)
    assert found.loss == 0.0 and found.standard_error == 0.0 and not below(found, 0.0, 0.99)


def test_too_little_data_refuses_nothing():
    labels, weights, a, b, users = drawn(np.random.default_rng(14), rows=600)
    one_positive = np.zeros_like(labels)
    one_positive[0] = 1
    assert not below(difference("auc", one_positive, weights, a, b, users), 0.0, 0.5)
    assert not below(difference("auc", np.zeros_like(labels), weights, a, b, users), 0.0, 0.5)
    assert not below(difference("gauc", labels, weights, a, b), 0.0, 0.5)


def test_rows_of_which_a_prediction_is_missing_are_left_out():
    labels, weights, a, b, users = drawn(np.random.default_rng(15), rows=600)
    a[:10] = np.nan
    found = difference("auc", labels, weights, a, b, users)
    assert found == difference("auc", labels[10:], weights[10:], a[10:], b[10:], users[10:])


def test_at_least_by_hand():
    """Errors of A 3 and 2, of B 1 and 1: losses 2 and 1, mean 1.5, standard error 1/2; Student's .95 quantile is 6.314."""
    labels, weights = np.zeros(2), np.ones(2)
    found = difference("mae", labels, weights, np.array([3.0, 2.0]), np.array([1.0, 1.0]), binary=False)
    assert (found.loss, found.standard_error, found.units) == (1.5, pytest.approx(0.5), 2)
    assert found.at_least(0.95) == pytest.approx(1.5 - 6.3137515 * 0.5)


@pytest.mark.parametrize("metric", ["auc", "pr_auc", "gauc", "log_loss", "calibration", "rmse", "mae"])
def test_each_slice_is_compared_as_if_it_were_alone(metric):
    random = np.random.default_rng(14)
    labels, weights, a, b, users = drawn(random, rows=1200)
    codes = [random.integers(0, count + 1, len(labels)).astype(np.uint8) for count in (3, 1)]
    slicings = [
        Slicing(codes=of, values=tuple((str(i),) for i in range(n))) for of, n in zip(codes, (3, 1), strict=True)
    ]
    found = differences(metric, labels, weights, a, b, slicings, users)
    assert [len(of_slices) for of_slices in found] == [3, 1]
    for of, of_slices in zip(codes, found, strict=True):
        for code, one in enumerate(of_slices):
            rows = of == code
            alone = difference(metric, labels[rows], weights[rows], a[rows], b[rows], users[rows])
            assert one.units == alone.units and one.metric == metric
            for name in ("a", "b", "loss", "standard_error"):
                assert getattr(one, name) == pytest.approx(getattr(alone, name), rel=1e-6, abs=1e-9)
