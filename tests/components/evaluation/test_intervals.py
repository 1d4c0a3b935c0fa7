"""The intervals against DeLong's formula, a bootstrap over clusters, and the truth of simulated data."""

from __future__ import annotations

import numpy as np
import pytest

from components.evaluation.clusters import clusters, group_order
from components.evaluation.intervals import NO_VALUE, NO_VARIANCE, ONE_CLUSTER
from components.evaluation.measuring import measure_slices
from components.evaluation.scores import Scores
from components.evaluation.slices import Slicing, one_slice
from tests.doubles import metric_oracle

NAMES = ("auc", "pr_auc", "gauc", "log_loss", "calibration", "rmse", "mae")


def of(scores: Scores, names=NAMES, slicing: Slicing | None = None, binary: bool = True):
    """The intervals on all rows, or on the first slice."""
    slicing = slicing or one_slice(np.ones(len(scores.labels), np.bool_))
    units = clusters(slicing, None if scores.groups is None else group_order(scores.groups))
    return measure_slices(names, scores, [slicing], clusters={0: units}, binary=binary).intervals[0][0]


def simulated(random, rows, groups=None, tilt=1.0):
    """Users differ in their rate; predictions are the probabilities, tilted."""
    users = None if groups is None else random.integers(0, groups, rows)
    logits = -1.0 + 1.2 * random.normal(size=rows) + (0.0 if users is None else 0.8 * random.normal(size=groups)[users])
    labels = (random.random(rows) < 1.0 / (1.0 + np.exp(-logits))).astype(np.float64)
    return Scores(labels=labels, predictions=1.0 / (1.0 + np.exp(-tilt * logits)), weights=np.ones(rows), groups=users)


def test_auc_by_hand():
    """Components of the positives 1 and 1/2, of the negatives 1/2 and 1: DeLong's variance is 1/8 / 2 + 1/8 / 2."""
    scores = Scores(
        labels=np.array([1.0, 0.0, 1.0, 0.0]), predictions=np.array([0.9, 0.6, 0.5, 0.1]), weights=np.ones(4)
    )
    found = of(scores)["auc"]
    assert found.standard_error == pytest.approx(np.sqrt(0.125))
    # logit of 3/4 is log 3; Student's quantile with one degree of freedom is 12.706
    wide = 12.7062047 * np.sqrt(0.125) / (0.75 * 0.25)
    assert found.lower == pytest.approx(1.0 / (1.0 + np.exp(wide) / 3.0))
    assert found.upper == pytest.approx(1.0 / (1.0 + np.exp(-wide) / 3.0))


def test_ratios_by_hand():
    """Errors 1 and 3, mean 2: the standard error of a mean of two is 1, and the interval 2 exp(-+ 12.706 / 2)."""
    scores = Scores(labels=np.array([1.0, 1.0]), predictions=np.array([2.0, 4.0]), weights=np.ones(2))
    found = of(scores, binary=False)
    assert found["mae"].standard_error == pytest.approx(1.0)
    assert found["mae"].upper == pytest.approx(2.0 * np.exp(12.7062047 / 2.0))
    assert found["mae"].lower == pytest.approx(2.0 * np.exp(-12.7062047 / 2.0))


def test_delong():
    """As the formula of DeLong, DeLong and Clarke-Pearson (1988), equation 5, for one model; written with all pairs."""
    scores = simulated(np.random.default_rng(2), 300)
    p, positive = np.round(scores.predictions, 2), scores.labels > 0
    pairs = (p[positive][:, None] > p[~positive]) + 0.5 * (p[positive][:, None] == p[~positive])
    expected = np.sqrt(
        pairs.mean(axis=1).var(ddof=1) / positive.sum() + pairs.mean(axis=0).var(ddof=1) / (~positive).sum()
    )
    assert of(scores.of(p))["auc"].standard_error == pytest.approx(expected, rel=5e-3)


def test_bootstrap():
    """1,000 multinomial samples of the clusters: the standard deviations agree within their own error and the bias of order 1/G."""
    random = np.random.default_rng(3)
    scores = simulated(random, 900, groups=180, tilt=0.8)
    found = of(scores)
    counts = random.multinomial(180, np.full(180, 1.0 / 180.0), 1000)[:, scores.groups].astype(np.float64)
    for name in NAMES:
        groups = (scores.groups,) if name == "gauc" else ()
        metric = getattr(metric_oracle, name)
        values = [metric(scores.labels, scores.predictions, weights, *groups) for weights in counts]
        assert found[name].standard_error == pytest.approx(np.std(values), rel=0.08), name


@pytest.mark.parametrize(("rows", "groups"), [(150, None), (1200, 150)])
def test_coverage(rows, groups):
    """About 95 % of the intervals contain the value of the population; 500 samples put a true 95 % in 93.1 to 96.9 % as a rule."""
    random = np.random.default_rng(4)
    names = ("auc", "pr_auc", "log_loss", "calibration", "rmse")
    everything = simulated(random, 400_000, None if groups is None else 50_000, tilt=0.8)
    truth = {
        name: getattr(metric_oracle, name)(everything.labels, everything.predictions, everything.weights)
        for name in names
    }
    inside = dict.fromkeys(names, 0)
    for _ in range(500):
        found = of(simulated(random, rows, groups, tilt=0.8), names)
        for name in names:
            inside[name] += found[name].lower <= truth[name] <= found[name].upper
    assert all(0.92 <= many / 500 <= 0.975 for many in inside.values()), inside


def test_clusters_widen_the_interval():
    """Ten copies of each row in one cluster tell no more than the row."""
    scores = simulated(np.random.default_rng(5), 200)
    copied = Scores(
        labels=np.repeat(scores.labels, 10),
        predictions=np.repeat(scores.predictions, 10),
        weights=np.ones(2000),
        groups=np.repeat(np.arange(200), 10),
    )
    once, ten = of(scores), of(copied)
    for name in ("auc", "pr_auc", "log_loss", "calibration", "rmse", "mae"):
        assert ten[name].standard_error == pytest.approx(once[name].standard_error), name


def test_gauc_agrees_with_its_influences():
    """It is measured from moments; `paired.py` uses the influences."""
    from components.evaluation.influence import influences
    from components.evaluation.intervals import spread_of
    from components.evaluation.ranking import falling_order, observed

    scores = simulated(np.random.default_rng(6), 900, groups=120)
    slicing = Slicing(codes=(np.arange(900) % 3).astype(np.uint8), values=(("a",), ("b",)))
    units = clusters(slicing, group_order(scores.groups))
    moved = influences(["gauc"], scores, falling_order(*observed(scores)), slicing, units, True)["gauc"]
    expected = spread_of(moved, units).error
    found = measure_slices(["gauc"], scores, [slicing], clusters={0: units}).intervals[0]
    assert [one["gauc"].standard_error for one in found] == pytest.approx(expected)


def test_the_order_of_the_rows_does_not_matter():
    scores = simulated(np.random.default_rng(7), 400, groups=60)
    order = np.random.default_rng(8).permutation(400)
    moved = Scores(
        labels=scores.labels[order],
        predictions=scores.predictions[order],
        weights=scores.weights,
        groups=scores.groups[order],
    )
    for name, interval in of(scores).items():
        assert of(moved)[name].standard_error == pytest.approx(interval.standard_error, rel=1e-9), name


def test_why_there_is_none():
    one_positive = Scores(labels=np.array([1.0, 0.0, 0.0]), predictions=np.array([0.3, 0.4, 0.2]), weights=np.ones(3))
    assert of(one_positive)["auc"].to_json() == {"why": ONE_CLUSTER}
    perfect = Scores(
        labels=np.array([1.0, 1.0, 0.0, 0.0]), predictions=np.array([0.9, 0.8, 0.2, 0.1]), weights=np.ones(4)
    )
    assert of(perfect)["auc"].why == NO_VARIANCE and of(perfect)["pr_auc"].why == NO_VARIANCE
    assert of(perfect)["log_loss"].why == ""
    assert of(perfect.of(np.array([0.9, np.nan, 0.2, 0.1])))["log_loss"].why == NO_VALUE
    nothing = Scores(labels=np.zeros(2), predictions=np.zeros(2), weights=np.zeros(2))
    assert {one.why for one in of(nothing).values()} == {NO_VALUE}


def test_areas_stay_in_their_range_and_ratios_positive():
    scores = simulated(np.random.default_rng(9), 24)
    found = of(scores)
    assert 0.0 < found["auc"].lower < found["auc"].upper < 1.0
    assert found["calibration"].lower > 0.0 and found["log_loss"].lower > 0.0
