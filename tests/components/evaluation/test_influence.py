"""The influences are the derivatives of the metrics' definitions by the weights."""

from __future__ import annotations

import numpy as np
import pytest

from components.evaluation.clusters import clusters, group_order
from components.evaluation.influence import influences
from components.evaluation.ranking import falling_order, observed
from components.evaluation.scores import Scores
from components.evaluation.slices import Slicing, one_slice
from tests.doubles import metric_oracle

NAMES = ("auc", "pr_auc", "gauc", "log_loss", "calibration", "rmse", "mae")


def of(scores, slicing, least=1 << 18):
    units = clusters(slicing, None if scores.groups is None else group_order(scores.groups))
    return units, influences(NAMES, scores, falling_order(*observed(scores), least), slicing, units, True)


@pytest.mark.parametrize("least", [40, 1 << 18])
@pytest.mark.parametrize("weights", [(1.0,), (0.0, 0.1, 0.7, 2.0)])
@pytest.mark.parametrize("digits", [1, 9])
def test_they_are_derivatives_by_the_weights(least, weights, digits):
    """Numerically, cluster by cluster: with ties and without, in one pass and in several."""
    random = np.random.default_rng(1)
    n = 240
    labels = (random.random(n) < 0.3).astype(np.float64)
    predictions = np.round(np.clip(0.3 + 0.2 * labels + 0.2 * random.normal(size=n), 0.01, 0.99), digits)
    scores = Scores(
        labels=labels,
        predictions=predictions,
        weights=random.choice(weights, n),
        groups=random.integers(-1, 30, n),
    )
    slicing = Slicing(codes=random.integers(0, 3, n).astype(np.uint8), values=(("a",), ("b",)))
    units, found = of(scores, slicing, least)
    slice_of = units.to_clusters(np.arange(3))
    for name, influence in found.items():
        for cluster in np.flatnonzero(slice_of < 2):
            rows = slicing.codes == slice_of[cluster]
            groups = (scores.groups[rows],) if name == "gauc" else ()

            def value(change, name=name, cluster=cluster, rows=rows, groups=groups):
                moved = scores.weights * (1.0 + change * (units.numbers == cluster))
                return getattr(metric_oracle, name)(labels[rows], predictions[rows], moved[rows], *groups)

            assert influence.values[slice_of[cluster]] == pytest.approx(value(0.0), abs=1e-12)
            expected = (value(1e-4) - value(-1e-4)) / 2e-4
            assert influence.sums[cluster] == pytest.approx(expected, abs=1e-8), name
        # a metric does not change if all weights do
        assert units.by_slice(influence.sums)[:2] == pytest.approx(0.0, abs=1e-12)


def test_by_hand():
    """By falling prediction the labels are 1 0 1 0; every row is a cluster."""
    scores = Scores(
        labels=np.array([1.0, 0.0, 1.0, 0.0]), predictions=np.array([0.9, 0.6, 0.5, 0.1]), weights=np.ones(4)
    )
    _, found = of(scores, one_slice(np.ones(4, np.bool_)))
    # components: positives 1 and 1/2, negatives 1/2 and 1; AUC 3/4; each minus it, over 2
    assert found["auc"].sums == pytest.approx([0.125, -0.125, -0.125, 0.125])
    # precisions 1 and 2/3, AP 5/6. A(p), B(p) from the top: (1 + 1/3, 1 + 2/9), then (1/3, 2/9), (1/3, 2/9), (0, 0)
    ap = 5.0 / 6.0
    expected = np.array([1.0 - ap + 4.0 / 3.0 - 11.0 / 9.0, -2.0 / 9.0, 2.0 / 3.0 - ap + 1.0 / 3.0 - 2.0 / 9.0, 0.0])
    assert found["pr_auc"].sums == pytest.approx(expected / 2.0)
    assert found["calibration"].sums == pytest.approx([(0.9 - 1.05) / 2, 0.3, (0.5 - 1.05) / 2, 0.05])
    assert found["auc"].units.tolist() == [2]


def test_a_class_that_is_missing_has_no_units():
    scores = Scores(labels=np.zeros(3), predictions=np.array([0.2, np.nan, 0.1]), weights=np.ones(3))
    _, found = of(scores, one_slice(np.ones(3, np.bool_)))
    assert np.isnan(found["auc"].values[0]) and found["log_loss"].units.tolist() == [0]
    assert "gauc" not in found
