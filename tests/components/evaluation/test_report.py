from __future__ import annotations

import json

import numpy as np
import pytest

from components.evaluation.plan import EvaluationPlan
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
    assert set(found) == {"tasks", "slices", "truth", "gates", "baseline"}
    assert found["slices"][1] == {
        "slice": {"device": "phone"},
        "task": "value",
        "mae": 1.0,
        "example_count": 1,
        "positive_count": 1,
    }


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
    assert (
        report.gates[0].message == "value: 1 of 2 predictions in the eval split are not finite numbers; required none."
    )
