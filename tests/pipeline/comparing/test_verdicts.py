"""The verdicts of a comparison: by hand, against derivatives and a bootstrap, and over simulated comparisons."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from pipeline.comparing.estimates import Estimate, estimate
from pipeline.comparing.normalized_entropy import normalized_entropy
from pipeline.comparing.verdicts import Comparison, Gain, Task, holm
from tests.doubles import metric_oracle

LOSSES = ("rmse", "mae", "log_loss")


def sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-logits))


def metric_of(metric: str, labels: Any, predictions: Any, weights: Any, groups: Any) -> float:
    """The metric by its definition."""
    more = (groups,) if metric == "gauc" else ()
    return getattr(metric_oracle, metric)(labels, predictions, weights, *more)


class Logs:
    """Labels of users with several rows each, and methods that see the true logit with errors of their own."""

    def __init__(self, random: np.random.Generator, users: int = 120, rows: int = 5) -> None:
        self.random, self.users = random, users
        self.groups = np.repeat(np.arange(users), rows)
        self.logits = -1.0 + 0.5 * random.normal(size=users)[self.groups] + random.normal(size=users * rows)
        self.labels = (random.random(users * rows) < sigmoid(self.logits)).astype(np.float32)
        self.weights = np.ones(users * rows, np.float32)

    def method(self, seeds: int, noise: float = 0.5, own: float = 0.5) -> np.ndarray:
        """(seeds, n): an error for each user that all seeds share, and for each row; the size of the latter depends on the seed."""
        shared = own * self.random.normal(size=self.users)[self.groups]
        sizes = noise * np.exp(0.3 * self.random.normal(size=(seeds, 1)))
        return sigmoid(self.logits + shared + sizes * self.random.normal(size=(seeds, len(self.logits))))

    def task(self, metric: str = "auc") -> Task:
        return Task(metric=metric, labels=self.labels, weights=self.weights, binary=True)


def gains_of(logs: Logs, metric: str, methods: dict[str, np.ndarray], other: str) -> dict[str, Gain]:
    comparison = Comparison({"click": logs.task(metric)}, logs.groups)
    for name, predictions in methods.items():
        comparison.add(name, {"click": predictions})
    return {name: found["click"] for name, found in comparison.gains(dict.fromkeys(methods, other)).items()}


def test_an_estimate_by_hand() -> None:
    """A = .0002 / 2, B = 3 / 2 * 14e-6, A + B = .011^2; degrees of freedom 1.4641e-8 / (1e-8 / 1 + 4.41e-10 / 2) = 1.43251."""
    found = estimate(np.array([0.01, 0.03]), np.array([0.003, -0.001, -0.002]), users=3, scale=1.0)
    assert found is not None
    assert (found.gain, found.standard_error) == pytest.approx((0.02, 0.011))
    assert found.freedom == pytest.approx(1.432513, abs=1e-6)
    t = stats.t(found.freedom)
    assert found.p == pytest.approx(2 * t.sf(0.02 / 0.011))
    assert found.half_width(0.1) == pytest.approx(0.011 * t.ppf(0.95))
    shifted = stats.nct(found.freedom, found.visible(0.1) / 0.011)
    assert shifted.sf(t.ppf(0.95)) == pytest.approx(0.8, abs=1e-4)


def test_seeds_that_cancel_out() -> None:
    """The gain is 0, but not for sure: A = .02 / 2."""
    found = estimate(np.array([0.1, -0.1]), np.zeros(3), users=3, scale=1.0)
    assert found is not None and (found.gain, found.p) == (0.0, 1.0)
    assert (found.standard_error, found.freedom) == pytest.approx((0.1, 1.0))


def test_a_comparison_by_hand() -> None:
    """Absolute errors of 3 users: other 4, 4, 4; method 1, 2, 3 and 1, 3, 5.

    Differences 3, 2, 1 and 3, 1, -1: 2 and 1 by seed, A = 1/4; 3, 1.5, 0 by user, B = 2.25 / 3. The gain is 1.5 with standard error 1
    and 1 / (1/16 + 9/32) = 32/11 degrees of freedom. One of two p-values is doubled.
    """
    task = Task(metric="mae", labels=np.zeros(3), weights=np.ones(3), binary=False)
    comparison = Comparison({"watch": task}, None, confidence=0.9)
    comparison.add("other", {"watch": np.full((2, 3), 4.0)})
    comparison.add("method", {"watch": np.array([[1.0, 2.0, 3.0], [1.0, 3.0, 5.0]])})
    comparison.add("copy", {"watch": np.full((2, 3), 4.0)})
    assert comparison.values("method", "watch").tolist() == [2.0, 3.0]
    found = comparison.gains({"method": "other", "copy": "other"})["method"]["watch"]
    t = stats.t(32 / 11)
    p, half = 2 * t.sf(1.5), t.ppf(0.95)
    assert found == Gain(
        gain=pytest.approx(1.5),
        relative=pytest.approx(1 - 2.5 / 4),
        lower=pytest.approx(1.5 - half),
        upper=pytest.approx(1.5 + half),
        p=pytest.approx(p),
        p_holm=pytest.approx(2 * p),
        visible=pytest.approx(Estimate(gain=0, seed_variance=0.25, user_variance=0.75, seeds=2, users=3).visible(0.05)),
        verdict="no difference",
    )


@pytest.mark.parametrize(
    ("p", "expected"),
    [
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),  # the usual example: the first and the last are rejected
        ([0.2, 0.9, 0.6], [0.6, 1.0, 1.0]),
        ([0.01, 0.01], [0.02, 0.02]),
        ([0.03], [0.03]),
        ([], []),
    ],
)
def test_holm(p: list[float], expected: list[float]) -> None:
    found = holm({str(at): value for at, value in enumerate(p)})
    assert list(found) == [str(at) for at in range(len(p))]
    assert list(found.values()) == pytest.approx(expected)


def part(function: Any, size: int) -> float:
    """n / (n - 1) times the sum of the squared derivatives of a function by the logarithms of its n weights, around 1."""
    step = 1e-4 * np.eye(size)
    slopes = [(function(1 + one) - function(1 - one)) / 2e-4 for one in step]
    return float(np.sum(np.square(slopes))) * size / (size - 1)


@pytest.mark.parametrize("metric", ["auc", "pr_auc", "gauc", *LOSSES])
def test_gains_and_their_variance_are_those_of_the_definitions(metric: str) -> None:
    """A and B by differentiating the gain by the weights of seeds and users. Each user has both classes, so all carry information."""
    logs = Logs(np.random.default_rng(1), users=12, rows=8)
    logs.labels[0::8], logs.labels[1::8] = 1, 0
    methods = {"twin": logs.method(3, 1.5), "ple": logs.method(3, 0.3)}

    def mean(name: str, seeds: Any, users: Any) -> float:
        each = [metric_of(metric, logs.labels, one, users[logs.groups], logs.groups) for one in methods[name]]
        return float(np.average(each, weights=seeds))

    def gain(seeds: Any, users: Any) -> float:
        found = mean("ple", seeds, users) - mean("twin", seeds, users)
        return -found if metric in LOSSES else found

    one, all_ = np.ones(3), np.ones(12)
    found = gains_of(logs, metric, methods, "twin")["ple"]
    slow = Estimate(
        gain=gain(one, all_),
        seed_variance=part(lambda seeds: gain(seeds, all_), 3),
        user_variance=part(lambda users: gain(one, users), 12),
        seeds=3,
        users=12,
    )
    chance = 0.5 if metric in ("auc", "gauc") else 0.0
    relative = (mean("ple", one, all_) - chance) / (mean("twin", one, all_) - chance) - 1
    assert found.relative == pytest.approx(-relative if metric in LOSSES else relative)
    assert found.gain == pytest.approx(slow.gain) and found.gain is not None and found.upper is not None
    assert found.upper - found.gain == pytest.approx(slow.half_width(0.05), rel=1e-4)
    assert found.p == found.p_holm == pytest.approx(slow.p, rel=1e-3)
    assert found.visible == pytest.approx(slow.visible(0.05), rel=1e-4)


def test_delta_m_is_the_mean_of_the_relative_gains() -> None:
    """Its variance by derivatives, over an AUC and an RMSE that share users and seeds.

    The latter misses half of the rows and one of 12 users, and 11 are what the degrees of freedom count.
    """
    random = np.random.default_rng(2)
    logs = Logs(random, users=12, rows=8)
    logs.labels[0::8], logs.labels[1::8] = 1, 0
    seconds = random.gamma(2.0, size=96)
    weights = (np.arange(96) % 2 * (np.arange(96) >= 8)).astype(np.float32)
    tasks = {"click": logs.task(), "watch": Task(metric="rmse", labels=seconds, weights=weights, binary=False)}
    methods = {
        name: {"click": logs.method(4, noise), "watch": seconds + noise * random.normal(size=(4, 96))}
        for name, noise in (("twin", 2.0), ("ple", 0.3), ("mmoe", 1.9))
    }
    comparison = Comparison(tasks, logs.groups)
    for name, predictions in methods.items():
        comparison.add(name, predictions)

    def delta(seeds: Any, users: Any) -> float:
        rows = users[logs.groups]
        auc, rmse = (
            {
                name: np.average(
                    [metric_of(metric, labels, p, w * rows, logs.groups) for p in predictions[task]], weights=seeds
                )
                for name, predictions in methods.items()
            }
            for task, metric, labels, w in (
                ("click", "auc", logs.labels, logs.weights),
                ("watch", "rmse", seconds, weights),
            )
        )
        return float((auc["ple"] - 0.5) / (auc["twin"] - 0.5) - 1 + 1 - rmse["ple"] / rmse["twin"]) / 2

    one, all_ = np.ones(4), np.ones(12)
    slow = Estimate(
        gain=delta(one, all_),
        seed_variance=part(lambda seeds: delta(seeds, all_), 4),
        user_variance=part(lambda users: delta(one, users), 12) * (11 / 12) * (11 / 10),
        seeds=4,
        users=11,
    )
    found = comparison.relative_gains("twin")
    assert list(found) == ["ple", "mmoe"]
    ple = found["ple"]
    assert ple.gain == pytest.approx(slow.gain) and ple.gain is not None and ple.upper is not None
    assert ple.upper - ple.gain == pytest.approx(slow.half_width(0.05), rel=1e-4)
    assert ple.p == pytest.approx(slow.p, rel=1e-3) and ple.p_holm == pytest.approx(2 * slow.p, rel=1e-3)
    assert ple.relative is None
    gains = comparison.gains({"ple": "twin"})["ple"]
    assert ple.gain == pytest.approx(np.mean([one.relative for one in gains.values() if one.relative is not None]))


@pytest.mark.parametrize("metric", ["auc", "log_loss"])
def test_a_nested_bootstrap_has_the_same_variance(metric: str) -> None:
    """3000 draws of the seeds, each with draws of the users: (S - 1) / S A + (U - 1) / U B + C, C that of the interaction.

    C is the variance that a draw of the seeds and one of the users have together beyond the two alone.
    """
    random = np.random.default_rng(3)
    logs = Logs(random, users=60, rows=5)
    methods = [logs.method(4, noise) for noise in (1.5, 0.5)]
    positive = logs.labels > 0
    above = [[np.sign(p[positive][:, None] - p[~positive]) / 2 + 0.5 for p in method] for method in methods]
    terms = [[-np.log(np.where(positive, p, 1 - p)) for p in method] for method in methods]

    def differences(users: np.ndarray) -> np.ndarray:
        """(seeds,) the gains if the users have these weights."""
        rows = users[logs.groups].astype(np.float64)
        u, v = rows[positive], rows[~positive]
        if metric == "auc":
            worse, better = ([u @ one @ v / (u.sum() * v.sum()) for one in method] for method in above)
        else:
            better, worse = ([rows @ one / rows.sum() for one in method] for method in terms)
        return np.subtract(better, worse)

    draws = random.multinomial(60, np.full(60, 1 / 60), 3000)
    seeds = random.multinomial(4, np.full(4, 1 / 4), 3000) / 4
    drawn = np.array([differences(users) for users in draws])
    both, users_only = (seeds * drawn).sum(axis=1).var(), drawn.mean(axis=1).var()
    own = differences(np.ones(60))
    seeds_only = own.var() / 4
    # E[sum_s W_s^2] - 1 / S of a draw of S seeds, times the variance of a seed's difference beyond that of their mean, over users.
    interaction = ((drawn - own) - (drawn - own).mean(axis=1, keepdims=True)).var(axis=0).sum() / 16
    found = gains_of(logs, metric, {"a": methods[0], "b": methods[1]}, "a")["b"]
    assert found.gain == pytest.approx(own.mean()) and found.gain is not None and found.upper is not None
    slow = Estimate(gain=0, seed_variance=seeds_only * 4 / 3, user_variance=users_only * 60 / 59, seeds=4, users=60)
    assert found.upper - found.gain == pytest.approx(slow.half_width(0.05), rel=0.06)
    assert both == pytest.approx(seeds_only + users_only + interaction, rel=0.08)


def test_equal_methods_do_not_differ() -> None:
    """200 comparisons of 3 to 6 methods with a twin that is no better: all draw their errors from one distribution.

    At least 95 % of verdicts are "no difference", and hardly more than 5 % of comparisons have any other one. Before the adjustment,
    about one p-value in 20 is below 0.05: the test is not much too careful.
    """
    random = np.random.default_rng(4)
    verdicts, wrong, p = [], 0, []
    for run in range(200):
        logs = Logs(random, users=100, rows=4)
        methods = {str(at): logs.method(3, noise=0.3, own=0.6) for at in range(4 + run % 4)}
        found = gains_of(logs, "auc", methods, "0").values()
        verdicts += [one.verdict for one in found]
        wrong += any(one.verdict != "no difference" for one in found)
        p += [one.p for one in found]
    assert len(verdicts) == 50 * (3 + 4 + 5 + 6)
    assert verdicts.count("no difference") >= 0.95 * len(verdicts)
    assert wrong <= 16  # 5 % of 200 and two standard errors
    assert 0.02 <= np.mean(np.array(p) <= 0.05) <= 0.06


@pytest.mark.parametrize(("seeds", "most"), [(5, 0.06), (3, 0.08), (2, 0.13)])
def test_seeds_that_differ_more_than_users(seeds: int, most: float) -> None:
    """The worst case of the docstring: no interaction, and the seeds' part is 10 times that of the users, 4000 nulls."""
    random = np.random.default_rng(5)
    seed_part = 10.0 * random.chisquare(seeds - 1, 4000) / (seeds - 1)
    gains = math.sqrt(11.0) * random.normal(size=4000)
    p = [
        Estimate(gain=gain, seed_variance=one, user_variance=1.0, seeds=seeds, users=500).p
        for gain, one in zip(gains, seed_part, strict=True)
    ]
    assert 0.05 - 0.01 <= np.mean(np.array(p) <= 0.05) <= most + 0.01


def test_a_gain_of_twice_the_visible_difference_is_found() -> None:
    """A method with less noise, whose true gain is twice what the comparisons say is visible: nearly all of 100 find it, and no equal method."""
    random = np.random.default_rng(6)
    visible, gains, verdicts, equal = [], [], [], []
    for _ in range(100):
        logs = Logs(random, users=200, rows=4)
        noises = {"twin": 2.5, "better": 0.2, "equal": 2.5}
        methods = {name: logs.method(5, noise, own=0.3) for name, noise in noises.items()}
        found = gains_of(logs, "auc", methods, "twin")
        visible.append(found["better"].visible)
        gains.append(found["better"].gain)
        verdicts.append(found["better"].verdict)
        equal.append(found["equal"].verdict)
    assert 1.8 <= np.mean(gains) / np.mean(visible) <= 2.2
    assert verdicts.count("better") >= 97 and equal.count("no difference") >= 95


def test_the_visible_difference_is_found_four_times_in_five() -> None:
    """Gains around the visible difference, with the spread of the estimate itself."""
    random = np.random.default_rng(7)
    truth = Estimate(gain=0.0, seed_variance=0.01, user_variance=1.0, seeds=5, users=300)
    gains = truth.visible(0.05 / 6) + truth.standard_error * random.normal(size=4000)
    users = random.chisquare(299, size=4000) / 299
    found = [
        Estimate(gain=gain, seed_variance=0.01, user_variance=one, seeds=5, users=300).p <= 0.05 / 6
        for gain, one in zip(gains, users, strict=True)
    ]
    assert np.mean(found) == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize("metric", ["auc", "pr_auc", "gauc", *LOSSES])
def test_equal_predictions_have_gain_0(metric: str) -> None:
    logs = Logs(np.random.default_rng(8), users=20)
    twin = logs.method(2)
    found = gains_of(logs, metric, {"twin": twin, "copy": twin.copy()}, "twin")
    assert found == {
        "copy": Gain(
            gain=0.0, relative=0.0, lower=0.0, upper=0.0, p=1.0, p_holm=1.0, visible=0.0, verdict="no difference"
        )
    }


def test_a_difference_without_any_variance_is_not_measured() -> None:
    """One model ranks all rows rightly, the other one wrongly: no weight moves AUC, so nothing says how sure the difference is."""
    labels = np.array([0, 1, 0, 1])
    comparison = Comparison({"click": Task(metric="auc", labels=labels, weights=np.ones(4), binary=True)}, None)
    comparison.add("right", {"click": np.array([labels, labels])})
    comparison.add("wrong", {"click": np.array([1 - labels, 1 - labels])})
    assert comparison.gains({"right": "wrong"}) == {"right": {"click": Gain()}}


def test_a_perfect_rmse() -> None:
    """Its influences are 0, not 0 / 0."""
    labels = np.array([1.0, 2.0, 4.0])
    comparison = Comparison({"watch": Task(metric="rmse", labels=labels, weights=np.ones(3), binary=False)}, None)
    comparison.add("perfect", {"watch": np.array([labels, labels])})
    comparison.add("other", {"watch": labels + np.array([[1, 0, 1], [0, 1, 2]])})
    found = comparison.gains({"perfect": "other"})["perfect"]["watch"]
    assert (found.relative, found.verdict) == (1.0, "no difference")
    assert found.p is not None and 0.0 < found.p < 1.0
    assert comparison.relative_gains("perfect") == {"other": Gain()}


def test_a_task_that_is_not_measured_leaves_the_other_one_alone() -> None:
    """One class only; a prediction that is not finite; fewer than 2 users of a class."""
    logs = Logs(np.random.default_rng(9), users=40)
    few = (logs.groups == 0).astype(np.float32)
    few[0] = 0 if logs.labels[:5].sum() in (0, 5) else few[0]
    tasks = {
        "click": logs.task(),
        "never": Task(metric="auc", labels=0 * logs.labels, weights=logs.weights, binary=True),
        "few": Task(metric="log_loss", labels=logs.labels, weights=few, binary=True),
        "broken": logs.task("log_loss"),
    }
    twin, ple = logs.method(2, 1.5), logs.method(2, 0.3)
    comparison = Comparison(tasks, logs.groups)
    comparison.add("twin", dict.fromkeys(tasks, twin))
    comparison.add("ple", {**dict.fromkeys(tasks, ple), "broken": np.where(np.arange(ple.shape[1]) == 7, np.nan, ple)})
    comparison.add("mmoe", dict.fromkeys(tasks, logs.method(2, 0.3)))
    pairs = {"ple": "twin", "mmoe": "twin"}
    found = comparison.gains(pairs)
    for method in pairs:
        assert found[method]["never"] == found[method]["few"] == Gain()
        assert Gain().verdict == "not measured" and set(Gain().to_json().values()) == {None, "not measured"}
    assert found["ple"]["broken"] == Gain()
    assert np.isnan(comparison.values("ple", "broken")).all() and np.isfinite(comparison.values("ple", "few")).all()
    assert found["mmoe"]["broken"].p_holm == found["mmoe"]["broken"].p  # alone in its family
    alone = gains_of(logs, "auc", {"twin": twin, "ple": ple, "mmoe": logs.method(2, 0.3)}, "twin")
    assert found["ple"]["click"].p == alone["ple"].p
    deltas = comparison.relative_gains("twin")
    assert deltas["ple"] == Gain()  # it misses a task that the twins have
    gains = [found["mmoe"][name].relative or 0.0 for name in ("click", "broken")]
    assert deltas["mmoe"].gain == pytest.approx(np.mean(gains))


def test_twins_that_are_no_better_than_chance_have_no_relative_gain() -> None:
    logs = Logs(np.random.default_rng(10), users=30)
    twin, ple = 1 - logs.method(2), logs.method(2)
    comparison = Comparison({"click": logs.task(), "like": logs.task("log_loss")}, logs.groups)
    comparison.add("twin", {"click": twin, "like": twin})
    comparison.add("ple", {"click": ple, "like": ple})
    found = comparison.gains({"ple": "twin", "twin": "twin"})
    assert list(found) == ["ple"]  # a method is not compared with itself
    assert (found["ple"]["click"].verdict, found["ple"]["click"].relative) == ("better", None)
    assert (found["ple"]["like"].verdict, found["ple"]["like"].relative) == ("better", pytest.approx(0.5, abs=0.2))
    assert comparison.gains({"twin": "ple"})["twin"]["click"].verdict == "worse"
    assert comparison.relative_gains("twin") == {"ple": Gain()}


@pytest.mark.parametrize("metric", ["auc", "gauc", "rmse"])
def test_the_order_of_methods_rows_and_seeds_does_not_matter(metric: str) -> None:
    random = np.random.default_rng(11)
    logs = Logs(random, users=40)
    methods = {name: logs.method(3, noise) for name, noise in (("twin", 1.0), ("ple", 0.3), ("mmoe", 0.9))}

    def found(names: Any, rows: Any, seeds: Any, groups: Any = logs.groups) -> dict[str, Any]:
        task = Task(metric=metric, labels=logs.labels[rows], weights=logs.weights[rows], binary=True)
        comparison = Comparison({"click": task}, groups[rows])
        for name in names:
            comparison.add(name, {"click": methods[name][seeds][:, rows]})
        gains = comparison.gains({name: "twin" for name in names if name != "twin"})
        deltas = comparison.relative_gains("twin")
        return {
            name: (*gains[name]["click"].to_json().items(), *deltas[name].to_json().items()) for name in sorted(gains)
        }

    expected = found(methods, np.arange(200), [0, 1, 2])
    other_names = random.permutation(40)[logs.groups]
    for names, seeds in itertools.product(itertools.permutations(methods), ([2, 0, 1], [1, 0, 2])):
        for name, items in found(names, random.permutation(200), seeds, other_names).items():
            for (field, value), (same, wanted) in zip(items, expected[name], strict=True):
                assert field == same and value == (wanted if isinstance(wanted, str | None) else pytest.approx(wanted))
    assert found(methods, np.arange(200), [0, 1, 2]) == expected


def test_rows_without_a_user_are_users() -> None:
    logs = Logs(np.random.default_rng(12), users=200, rows=1)
    methods = {"twin": logs.method(2), "ple": logs.method(2)}
    expected = gains_of(logs, "auc", methods, "twin")
    logs.groups = np.full(200, -1)
    assert gains_of(logs, "auc", methods, "twin") == expected


@pytest.mark.parametrize("metric", ["auc", "log_loss"])
def test_predictions_of_rows_that_are_not_observed_do_not_matter(metric: str) -> None:
    logs = Logs(np.random.default_rng(15), users=30)
    logs.weights[::3] = 0
    methods = {"twin": logs.method(2), "ple": logs.method(2)}
    expected = gains_of(logs, metric, methods, "twin")
    methods["ple"][:, ::3] = np.nan
    assert gains_of(logs, metric, methods, "twin") == expected and expected["ple"].gain is not None


def test_predictions_are_not_kept() -> None:
    logs = Logs(np.random.default_rng(13), users=30)
    twin, ple = logs.method(2), logs.method(2)
    comparison = Comparison({"click": logs.task()}, logs.groups)
    comparison.add("twin", {"click": twin})
    comparison.add("ple", {"click": ple})
    expected = comparison.gains({"ple": "twin"})
    twin[:], ple[:] = np.nan, np.nan
    comparison.values("ple", "click")[:] = np.nan
    assert comparison.gains({"ple": "twin"}) == expected


def test_what_is_refused() -> None:
    logs = Logs(np.random.default_rng(14), users=10)
    task = logs.task()
    with pytest.raises(ValueError, match="expected a metric of .*'calibration'"):
        logs.task("calibration")
    with pytest.raises(ValueError, match="confidence from 0.5 to 1, exclusive; received 1.0"):
        Comparison({"click": task}, None, confidence=1.0)
    with pytest.raises(ValueError, match=r"the same rows; received \[49, 50\] rows"):
        Comparison({"click": task}, logs.groups[1:])
    comparison = Comparison({"click": task}, logs.groups)
    with pytest.raises(ValueError, match=r"one: expected \(seeds, 50\) predictions with the same 2 or more seeds"):
        comparison.add("one", {"click": logs.method(1)})
    comparison.add("two", {"click": logs.method(2)})
    for name, predictions in (("two", {"click": logs.method(2)}), ("new", {"like": logs.method(2)})):
        with pytest.raises(ValueError, match="expected a new method with tasks"):
            comparison.add(name, predictions)
    for wrong in (logs.method(3), logs.method(2)[:, 1:], logs.method(2)[0]):
        with pytest.raises(ValueError, match="with the same 2 or more seeds"):
            comparison.add("new", {"click": wrong})


def test_normalized_entropy() -> None:
    """3 of 4 by weight are positive: H = .75 ln(4/3) + .25 ln 4 = .562335."""
    labels, weights = np.array([1, 0, 1, 1]), np.array([1.0, 1.0, 2.0, 0.0])
    assert normalized_entropy(0.2811676, labels, weights) == pytest.approx(0.5, abs=1e-6)
    constant = metric_oracle.log_loss(labels, np.full(4, 0.75), weights)
    assert constant is not None and normalized_entropy(constant, labels, weights) == pytest.approx(1.0)
    assert normalized_entropy(0.1, labels, weights * labels) is None
    assert normalized_entropy(0.1, labels, weights * (1 - labels)) is None
