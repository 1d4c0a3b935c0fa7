from __future__ import annotations

import json

import numpy as np
import pytest

from components.evaluation.best import from_text, improved, to_text
from components.evaluation.plan import EvaluationPlan, GatePlan, default_gates
from components.evaluation.report import EvalExamples, evaluate
from components.evaluation.slices import Coded

PLAN = EvaluationPlan.model_validate(
    {
        "tasks": {
            "click": {"kind": "binary", "metrics": ["auc", "gauc"]},
            "value": {"kind": "regression", "metrics": ["mae"]},
        },
        "slices": [["device"], ["device", "user"]],
        "group_key": "user",
        "max_slice_values": 2,
    }
)
EXAMPLES = EvalExamples(
    labels={"click": np.array([1.0, 0.0, 1.0, 0.0]), "value": np.array([2.0, 0.0, 4.0, 0.0])},
    weights={"click": np.ones(4), "value": np.array([1.0, 0.0, 1.0, 0.0])},
    columns={
        "device": Coded(codes=np.array([0, 0, 1, -1]), values=("phone", "tablet")),
        "user": Coded(codes=np.array([0, 0, 1, 1]), values=("u", "v")),
    },
)
CANDIDATE = {"click": np.array([0.9, 0.1, 0.2, 0.5]), "value": np.array([1.0, 9.0, 6.0, 9.0])}


def test_by_hand():
    report = evaluate(PLAN, EXAMPLES, CANDIDATE)
    # pairs: 0.9 > 0.1, 0.9 > 0.5, 0.2 > 0.1, 0.2 < 0.5; users: 1 and 0
    assert report.tasks == {
        "click": {"auc": 0.75, "gauc": 0.5, "example_count": 4, "positive_count": 2},
        "value": {"mae": 1.5, "example_count": 2, "positive_count": 2},
    }
    assert report.blessed and report.gates == [] and report.baseline is None and report.truth == {}
    found = [(one.slice, one.task) for one in report.slices]
    assert found[:4] == [
        ({"device": "phone"}, "click"),
        ({"device": "phone"}, "value"),
        ({"device": "(missing)"}, "click"),
        ({"device": "(missing)"}, "value"),
    ]
    assert report.slices[0].metrics == {"auc": 1.0, "gauc": 1.0, "example_count": 2, "positive_count": 1}
    assert report.slices[1].metrics == {"mae": 1.0, "example_count": 1, "positive_count": 1}
    assert report.slices[3].metrics == {"mae": None, "example_count": 0, "positive_count": 0}
    # the crossed entry, limited to its two largest
    assert [one.slice for one in report.slices[4::2]] == [
        {"device": "phone", "user": "u"},
        {"device": "(missing)", "user": "v"},
    ]


def test_json():
    text = json.dumps(evaluate(PLAN, EXAMPLES, CANDIDATE).to_json(), allow_nan=False)
    found = json.loads(text)
    assert set(found) == {
        *("tasks", "intervals", "curves", "constant", "ungated", "slices", "truth", "gates", "baseline", "references"),
        "day_at_fault",
    }
    assert found["slices"][1] == {
        "slice": {"device": "phone"},
        "task": "value",
        "mae": 1.0,
        "example_count": 1,
        "positive_count": 1,
        "few": True,
    }


def test_intervals_and_slices_with_few_examples():
    """The eval split and large slices have intervals of the task's metrics; small slices and those with one rare class are `few`."""
    random = np.random.default_rng(1)
    plan = EvaluationPlan.model_validate(
        {
            "tasks": {
                "click": {
                    "kind": "binary",
                    "metrics": ["auc", "gauc"],
                    "gates": [{"metric": "log_loss", "at_most": 9}],
                },
                "value": {"kind": "regression", "metrics": ["mae"]},
            },
            "slices": [["device"]],
            "group_key": "user",
            "min_slice_examples": 50,
        }
    )
    device = np.repeat([0, 1, 2], [300, 60, 40])
    click = (random.random(400) < 0.5).astype(np.float32)
    click[device == 1] = np.arange(60) < 9  # 9 positives
    examples = EvalExamples(
        labels={"click": click, "value": random.normal(size=400)},
        weights={"click": np.ones(400), "value": np.ones(400)},
        columns={
            "device": Coded(codes=device, values=("phone", "tablet", "tv")),
            "user": Coded(codes=random.integers(0, 40, 400), values=[str(user) for user in range(40)]),
        },
    )
    found = evaluate(plan, examples, {"click": random.random(400), "value": random.normal(size=400)}).to_json()
    assert set(found["intervals"]["click"]) == {"auc", "gauc"}
    bounds = found["intervals"]["click"]["auc"]
    assert bounds["lower"] < found["tasks"]["click"]["auc"] < bounds["upper"] and bounds["standard_error"] < 0.1
    by_slice = {(one["slice"]["device"], one["task"]): one for one in found["slices"]}
    assert {place for place, one in by_slice.items() if one.get("few")} == {
        ("tablet", "click"),
        ("tv", "click"),
        ("tv", "value"),
    }
    for one in by_slice.values():
        assert ("intervals" in one) != one.get("few", False)
    # the slice alone has the same interval
    rows = device == 0
    alone = EvalExamples(
        labels={task: values[rows] for task, values in examples.labels.items()},
        weights={task: values[rows] for task, values in examples.weights.items()},
        columns={name: Coded(codes=one.codes[rows], values=one.values) for name, one in examples.columns.items()},
    )
    predictions = {"click": np.linspace(0, 1, 300), "value": np.zeros(300)}
    everywhere = {task: np.append(values, np.zeros(100)) for task, values in predictions.items()}
    [mine] = [
        one
        for one in evaluate(plan, examples, everywhere).slices
        if one.slice == {"device": "phone"} and one.task == "click"
    ]
    its = evaluate(plan, alone, predictions).intervals["click"]["auc"]
    assert mine.intervals["auc"].lower == pytest.approx(its.lower)


def test_truth_gaps():
    truth = {"click": np.array([0.8, 0.1, 0.6, 0.5]), "value": np.array([2.0, 0.0, 4.0, 0.0])}
    report = evaluate(PLAN, EXAMPLES, CANDIDATE, truth=truth)
    assert report.truth["click"]["auc"] == 1.0
    assert report.truth["click"]["auc_gap"] == 0.25
    expected = -np.mean(np.log([0.8, 0.9, 0.6, 0.5]))
    assert report.truth["click"]["log_loss"] == pytest.approx(expected)
    assert report.truth["click"]["log_loss_gap"] == pytest.approx(-np.mean(np.log([0.9, 0.9, 0.2, 0.5])) - expected)
    assert report.truth["value"]["mae_gap"] == 1.5 and report.truth["value"]["mae"] == 0.0
    assert report.truth["value"]["rmse_gap"] == pytest.approx(np.sqrt(2.5))


def test_baseline_is_measured_on_the_same_examples():
    report = evaluate(PLAN, EXAMPLES, CANDIDATE, baseline={"click": np.array([0.9, 0.1, 0.8, 0.5])})
    assert report.baseline == {"click": {"auc": 1.0, "gauc": 1.0, "example_count": 4, "positive_count": 2}}


def test_one_failing_gate_of_one_task_is_enough():
    tasks = PLAN.model_dump()["tasks"]
    tasks["click"]["gates"] = [{"metric": "auc", "at_least": 0.7}]
    tasks["value"]["gates"] = [{"metric": "mae", "at_most": 1.0}]
    plan = EvaluationPlan.model_validate({**PLAN.model_dump(), "tasks": tasks})
    report = evaluate(plan, EXAMPLES, CANDIDATE)
    assert [gate.held for gate in report.gates] == [True, False]
    assert not report.blessed
    [gate, _] = report.to_json()["gates"]
    assert gate == {
        "task": "click",
        "metric": "auc",
        "slice": {},
        "limit": "at least 0.7",
        "value": 0.75,
        "held": True,
        "message": "click: auc is 0.75, required at least 0.7.",
    }


def test_gates_of_slices_that_only_python_takes_for_equal():
    columns = {"c": Coded(codes=np.array([0, 0, 1, 1]), values=("1", "true")), "user": EXAMPLES.columns["user"]}
    gates = [{"metric": "auc", "at_least": 0.5, "slice": {"c": value}} for value in (1, True)]
    tasks = {"click": {"kind": "binary", "metrics": ["auc"], "gates": gates}}
    examples = EvalExamples(labels=EXAMPLES.labels, weights=EXAMPLES.weights, columns=columns)
    report = evaluate(EvaluationPlan.model_validate({"tasks": tasks}), examples, CANDIDATE)
    assert [gate.value for gate in report.gates] == [1.0, 0.0]


def test_unobserved_predictions_may_be_anything_observed_ones_must_be_numbers():
    fine = {**CANDIDATE, "value": np.array([1.0, np.nan, 6.0, np.nan])}
    assert evaluate(PLAN, EXAMPLES, fine).blessed
    broken = {**CANDIDATE, "value": np.array([1.0, 1.0, np.inf, 1.0])}
    report = evaluate(PLAN, EXAMPLES, broken)
    assert not report.blessed and report.tasks["value"]["mae"] is None
    assert report.gates[0].message == "value: 1 of 2 predictions in the eval split are not finite; required 0."


def _plan(gates=None, kind="binary", metrics=("auc",), **about):
    gates = default_gates(kind) if gates is None else gates
    task = {"kind": kind, "metrics": metrics, "gates": [GatePlan.model_validate(gate).model_dump() for gate in gates]}
    return EvaluationPlan.model_validate({"tasks": {"click": task | about}})


def _examples(labels, weights=None):
    labels = np.asarray(labels, np.float64)
    weights = np.ones(len(labels)) if weights is None else np.asarray(weights, np.float64)
    return EvalExamples(labels={"click": labels}, weights={"click": weights}, columns={})


class TestDefaultGates:
    """What a task is held to that names no gates."""

    RANDOM = np.random.default_rng(3)
    LABELS = (RANDOM.random(2000) < 0.03).astype(np.float64)
    MEAN = float(LABELS.mean())

    @pytest.mark.parametrize(
        ("predictions", "failed"),
        [
            (np.where(LABELS > 0, 0.2, 0.024), []),
            (np.full(2000, MEAN), ["log_loss"]),
            (RANDOM.random(2000) * 0.02, ["log_loss", "calibration"]),
            (np.where(LABELS > 0, 0.9, 0.1), ["calibration"]),
        ],
        ids=["a good model", "the constant itself", "noise at a third of the level", "good order, promising too much"],
    )
    def test_binary(self, predictions, failed):
        report = evaluate(_plan(), _examples(self.LABELS), {"click": predictions}, means={"click": self.MEAN})
        assert [gate.metric for gate in report.gates if not gate.held] == failed
        assert report.blessed is (not failed) and report.ungated == []
        assert set(report.tasks["click"]) == {"auc", "example_count", "positive_count"}, "the recipe's own metrics only"

    @pytest.mark.parametrize(
        ("predictions", "failed"), [([1.0, 2.0, 8.0], []), ([1.0, 8.0, 2.0], ["rmse"]), ([4.0, 4.0, 4.0], ["rmse"])]
    )
    def test_regression(self, predictions, failed):
        """The constant 4: errors 3, 2, -5; its rmse is the root of 38 / 3."""
        plan, examples = _plan(kind="regression", metrics=("mae",)), _examples([1.0, 2.0, 9.0])
        report = evaluate(plan, examples, {"click": np.array(predictions)}, means={"click": 4.0})
        assert [gate.metric for gate in report.gates if not gate.held] == failed
        about = report.constant["click"]
        assert about["mean"] == 4.0 and about["by"] == "rmse" and about["beaten"] is (not failed)
        assert about["metrics"] == {
            "rmse": pytest.approx(np.sqrt(38 / 3)),
            "mae": pytest.approx(10 / 3),
            "calibration": pytest.approx(1.0),
        }

    def test_own_gates_replace_them_and_none_switches_them_off(self):
        noise = {"click": self.RANDOM.random(2000) * 0.02}
        examples, means = _examples(self.LABELS), {"click": self.MEAN}
        own = evaluate(_plan(gates=[{"metric": "auc", "at_least": 0.1}]), examples, noise, means=means)
        assert own.blessed and [gate.metric for gate in own.gates] == ["auc"] and own.ungated == []
        none = evaluate(_plan(gates=[]), examples, noise, means=means)
        assert none.blessed and none.gates == [] and none.ungated == ["click"]
        assert none.constant["click"]["beaten"] is False, "and yet it shows"

    def test_unobserved_rows_count_for_neither(self):
        examples = _examples([1.0, 0.0, 1.0, 1.0], [1.0, 1.0, 0.0, 0.0])
        predictions = {"click": np.array([0.7, 0.3, 0.0, 0.0])}
        report = evaluate(_plan(), examples, predictions, means={"click": 0.5})
        assert report.constant["click"]["metrics"]["log_loss"] == pytest.approx(np.log(2))
        assert report.constant["click"]["metrics"]["auc"] == 0.5 and report.blessed


@pytest.mark.parametrize("gates", [None, [], [{"metric": "auc", "at_least": 0.1}]])
def test_a_task_that_was_not_measured_is_blessed_in_so_many_words_only(gates):
    examples, predictions = _examples([1.0, 0.0], [0.0, 0.0]), {"click": np.array([0.5, 0.5])}
    report = evaluate(_plan(gates), examples, predictions, means={"click": 0.5})
    assert not report.blessed and [gate.metric for gate in report.gates] == ["example_count"]
    assert report.constant["click"]["beaten"] is None and report.values == {}
    allowed = evaluate(_plan(gates, unmeasured="allow"), examples, predictions, means={"click": 0.5})
    assert allowed.blessed and "allowed" in allowed.gates[0].message


NIGHTS = 12


def _nights(**limits):
    """A model that orders one of 25 pairs more wrongly every night: (AUC, blessed) of each, until the seventh is not."""
    plan = _plan([{"metric": "auc", **limits}])
    examples = _examples([1.0] + [0.0] * 25)
    record, baseline, found = {}, None, []
    for night in range(NIGHTS):
        wrong = np.arange(25) < night
        predictions = {"click": np.array([0.5, *np.where(wrong, 0.9, 0.1)])}
        report = evaluate(plan, examples, predictions, baseline, best=record)
        found.append((round(report.tasks["click"]["auc"], 2), report.blessed))
        if report.blessed:
            record = from_text(to_text(improved(record, report.values, f"/models/{night}")))
            baseline = predictions
    return found


def test_a_loss_of_004_a_night_within_a_limit_of_005_goes_on_for_ever():
    found = _nights(max_loss_to_baseline=0.05)
    assert all(blessed for _, blessed in found) and found[-1][0] == 0.56


def test_and_stops_at_the_best_blessed_value():
    found = _nights(max_loss_to_baseline=0.05, max_loss_to_best=0.1)
    assert [auc for auc, blessed in found if blessed] == [1.0, 0.96, 0.92]
    assert found[3] == (0.88, False)
