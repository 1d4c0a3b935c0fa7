from __future__ import annotations

import json
import os

import metric_oracle
import numpy as np
import polars as pl
import pytest
import tensorflow_model_analysis as tfma
from tfx.types import standard_artifacts

from components.evaluation.executor import Executor
from components.evaluation.plan import EvaluationPlan, default_gates
from components.references.predictions import write_about, write_predictions

PLAN = {
    "tasks": {
        "click": {
            "kind": "binary",
            "metrics": ["auc", "log_loss", "gauc"],
            "gates": [{"metric": "auc", "at_least": 0.6, "max_loss_to_baseline": 0.0}],
        },
        "value": {"kind": "regression", "metrics": ["rmse"]},
    },
    "slices": [["device"]],
    "group_key": "user",
}


@pytest.fixture
def run(tmp_path):
    counter = iter(range(100))

    def run(split, model, plan=PLAN, baseline=None, older=None, kept="", references=None):
        folder = tmp_path / f"output{next(counter)}"
        evaluation, blessing = standard_artifacts.ModelEvaluation(), standard_artifacts.ModelBlessing()
        evaluation.uri, blessing.uri = str(folder / "evaluation"), str(folder / "blessing")
        inputs = {"examples": [split.examples], "transformed_examples": [split.transformed], "model": [model]}
        inputs |= {"references": [references]} if references is not None else {}
        inputs |= {"baseline_model": [baseline]} if baseline is not None else {}
        inputs |= {"baseline_blessing": [older]} if older is not None else {}
        properties = {"plan": EvaluationPlan.model_validate(plan).model_dump_json(), "code": "1", "fingerprint": ""}
        properties |= {"kept_best": kept} if kept else {}
        Executor().Do(inputs, {"evaluation": [evaluation], "blessing": [blessing]}, properties)
        with open(os.path.join(evaluation.uri, "metrics.json")) as file:
            return evaluation, blessing, json.load(file)

    return run


def test_without_baseline(run, make_split, make_model):
    split = make_split()
    evaluation, blessing, found = run(split, make_model("model", 11))
    y, w, x = split.arrays["labels"], split.arrays["weights"], split.arrays["x"]
    p = 1.0 / (1.0 + np.exp(-x))
    assert found["tasks"]["click"]["auc"] == pytest.approx(metric_oracle.auc(y[:, 0], p))
    assert found["tasks"]["click"]["log_loss"] == pytest.approx(metric_oracle.log_loss(y[:, 0], p), rel=1e-5)
    assert found["tasks"]["value"]["rmse"] == pytest.approx(metric_oracle.rmse(y[:, 1], x, w[:, 1]), rel=1e-5)
    assert found["tasks"]["value"]["example_count"] == w[:, 1].sum()
    assert found["baseline"] is None and found["truth"] == {}
    assert [gate["held"] for gate in found["gates"]] == [True, True]
    assert "not compared: there is no older blessed model" in found["gates"][1]["message"]
    assert evaluation.get_int_custom_property("rows") == 400

    assert blessing.get_int_custom_property("blessed") == 1
    assert blessing.get_int_custom_property("current_model_id") == 11
    assert not blessing.has_custom_property("baseline_model_id")
    assert os.listdir(blessing.uri) == ["BLESSED"]

    phones = np.array([device == b"phone" for device in split.arrays["device"]])
    expected = metric_oracle.auc(y[phones, 0], p[phones])
    [mine] = [one for one in found["slices"] if one["slice"] == {"device": "phone"} and one["task"] == "click"]
    assert mine["auc"] == pytest.approx(expected)
    loaded = tfma.load_eval_result(evaluation.uri)
    theirs = loaded.get_metrics_for_slice((("device", "phone"),), output_name="click")
    assert theirs["auc"]["boundedValue"]["value"] == pytest.approx(expected)
    assert tfma.load_validation_result(evaluation.uri).validation_ok


def test_not_blessed_is_a_result(run, make_split, make_model):
    evaluation, blessing, found = run(make_split(), make_model("model", 11, slope=-1.0))
    assert blessing.get_int_custom_property("blessed") == 0
    assert os.listdir(blessing.uri) == ["NOT_BLESSED"]
    assert [gate["held"] for gate in found["gates"]] == [False, True]
    assert not tfma.load_validation_result(evaluation.uri).validation_ok


def test_against_a_better_baseline_and_against_itself(run, make_split, make_model):
    split = make_split()
    plan = {
        "tasks": {"click": {**PLAN["tasks"]["click"], "gates": [{"metric": "log_loss", "max_loss_to_baseline": 0.0}]}}
    }
    plan["tasks"]["click"]["metrics"] = ["log_loss"]
    biased, right = make_model("biased", 12, bias=1.0), make_model("right", 9)
    _, blessing, found = run(split, biased, plan, right)
    assert blessing.get_int_custom_property("blessed") == 0
    assert blessing.get_int_custom_property("baseline_model_id") == 9
    assert found["baseline"]["click"]["log_loss"] < found["tasks"]["click"]["log_loss"]
    assert "worse; required at most 0 worse than the baseline" in found["gates"][0]["message"]

    _, blessing, found = run(split, right, plan, biased)
    assert blessing.get_int_custom_property("blessed") == 1
    _, blessing, found = run(split, right, plan, right)
    assert blessing.get_int_custom_property("blessed") == 1
    assert found["baseline"]["click"]["log_loss"] == pytest.approx(found["tasks"]["click"]["log_loss"], abs=1e-6)


def test_a_baseline_with_served_values_predicts_from_the_logged_ones(run, make_split, make_model):
    served = make_model("served", 9, served=0.5)
    _, _, found = run(make_split(), make_model("model", 12), PLAN, served)
    for metric in ("auc", "log_loss"):
        assert found["baseline"]["click"][metric] == pytest.approx(found["tasks"]["click"][metric], abs=1e-6)


def test_a_baseline_without_the_task(run, make_split, make_model):
    plan = {**PLAN, "tasks": {**PLAN["tasks"]}}
    plan["tasks"]["value"] = {
        "kind": "regression",
        "metrics": ["rmse"],
        "gates": [{"metric": "rmse", "max_loss_to_baseline": 0.0}],
    }
    _, blessing, found = run(make_split(), make_model("model", 12), plan, make_model("old", 9, tasks=("click",)))
    assert blessing.get_int_custom_property("blessed") == 1
    assert set(found["baseline"]) == {"click"}
    [message] = [gate["message"] for gate in found["gates"] if gate["task"] == "value"]
    assert "the baseline does not have the task 'value'" in message


@pytest.mark.parametrize(
    ("inputs", "why"),
    [
        ({"x": {"type": "float"}, "old": {"type": "bytes"}}, "columns that the examples no longer have: old"),
        ({"x": {"type": "int"}}, "the baseline reads column 'x' as int"),
    ],
)
def test_a_baseline_of_another_recipe(run, make_split, make_model, inputs, why):
    _, blessing, found = run(make_split(), make_model("model", 12), PLAN, make_model("old", 9, inputs=inputs))
    assert blessing.get_int_custom_property("blessed") == 1
    assert found["baseline"] is None
    assert why in found["gates"][1]["message"]


def test_a_model_that_predicts_nan_is_never_blessed(run, make_split, make_model):
    plan = {"tasks": {"click": {"kind": "binary", "metrics": ["auc"]}}}
    _, blessing, found = run(make_split(), make_model("model", 12, bias=float("nan")), plan)
    assert blessing.get_int_custom_property("blessed") == 0
    assert found["tasks"]["click"]["auc"] is None
    assert found["gates"][0]["message"].startswith("click: 400 of 400 predictions in the eval split are not finite")


def test_truth(run, tmp_path, make_split, make_model):
    split = make_split()
    truth = split.arrays["truth"]
    table = pl.DataFrame({"id": [f"e{row}" for row in range(500)], "p": [*truth, *([0.5] * 100)]})
    table.sample(fraction=1.0, shuffle=True, seed=1).write_parquet(tmp_path / "truth.parquet")
    plan = {
        "tasks": PLAN["tasks"],
        "group_key": "user",
        "truth": {"data": str(tmp_path), "paths": ["truth.parquet"], "event_id": "id", "columns": {"click": "p"}},
    }
    _, _, found = run(split, make_model("model", 12, slope=2.0, bias=0.5), plan)
    y = split.arrays["labels"][:, 0]
    click = found["truth"]["click"]
    assert click["auc"] == pytest.approx(metric_oracle.auc(y, truth))
    assert click["auc_gap"] == pytest.approx(0.0, abs=1e-9)  # the same order
    assert click["log_loss_gap"] == pytest.approx(
        found["tasks"]["click"]["log_loss"] - metric_oracle.log_loss(y, truth)
    )
    assert click["log_loss_gap"] > 0.01


def test_the_gates_of_a_task_that_names_none_are_read_by_tfma(run, make_split, make_model):
    """The regression's labels are of both signs: its calibration is not judged."""
    split = make_split()
    gates = {kind: [gate.model_dump() for gate in default_gates(kind)] for kind in ("binary", "regression")}
    plan = {
        "tasks": {
            "click": {"kind": "binary", "metrics": ["auc"], "gates": gates["binary"]},
            "value": {"kind": "regression", "metrics": ["mae"], "gates": gates["regression"]},
        }
    }
    _, blessing, found = run(split, make_model("good", 11, slope=2.0), plan)
    y, w = split.arrays["labels"], split.arrays["weights"]
    click, value = found["constant"]["click"], found["constant"]["value"]
    assert click["mean"] == pytest.approx(y[:, 0].mean())
    assert click["metrics"]["log_loss"] == pytest.approx(metric_oracle.log_loss(y[:, 0], np.full(400, y[:, 0].mean())))
    mean = np.average(y[:, 1], weights=w[:, 1])
    assert value["metrics"]["rmse"] == pytest.approx(metric_oracle.rmse(y[:, 1], np.full(400, mean), w[:, 1]))
    assert blessing.get_int_custom_property("blessed") == 1, found["gates"]

    evaluation, blessing, found = run(split, make_model("backwards", 12, slope=-1.0), plan)
    assert blessing.get_int_custom_property("blessed") == 0
    assert found["constant"]["click"]["beaten"] is False
    result = tfma.load_validation_result(evaluation.uri)
    failures = {failure.metric_key.output_name: failure for failure in result.metric_validations_per_slice[0].failures}
    assert not result.validation_ok and set(failures) == {"click", "value"}
    bound = failures["click"].metric_threshold.value_threshold.upper_bound.value
    assert bound == pytest.approx(click["metrics"]["log_loss"])
    assert "the constant always predicts" in failures["value"].message and "`gates: none`" in failures["value"].message
    config = tfma.load_eval_result(evaluation.uri).config
    named = {spec.output_names[0]: [metric.class_name for metric in spec.metrics] for spec in config.metrics_specs}
    assert named["click"] == ["auc", "log_loss", "calibration"]


@pytest.mark.parametrize("kept", [False, True], ids=["by the blessing", "in a folder"])
def test_the_best_value_is_handed_on(run, make_split, make_model, tmp_path, kept):
    split, folder = make_split(), str(tmp_path / "kept") if kept else ""
    gate = {"metric": "log_loss", "max_loss_to_best": 0.02}
    plan = {"tasks": {"click": {"kind": "binary", "metrics": ["log_loss"], "gates": [gate]}}}
    models = [make_model(f"model{index}", 10 + index, bias=0.1 * index) for index in range(1, 6)]
    older, blessed, messages = None, [], []
    for model in models:
        _, blessing, found = run(split, model, plan, older=None if kept else older, kept=folder)
        blessed.append(blessing.get_int_custom_property("blessed"))
        messages.append(found["gates"][0]["message"])
        older = blessing if blessed[-1] else older
    assert blessed[0] == 1 and blessed[-1] == 0 and blessed == sorted(blessed, reverse=True)
    assert "there is no comparable value of a blessed model on record" in messages[0]
    assert f"the best blessed value, of {models[0].uri}," in messages[-1]


def test_a_blessing_from_before_there_was_a_record(run, make_split, make_model):
    older = standard_artifacts.ModelBlessing()
    plan = {
        "tasks": {"click": {"kind": "binary", "metrics": ["auc"], "gates": [{"metric": "auc", "max_loss_to_best": 0}]}}
    }
    _, blessing, found = run(make_split(), make_model("model", 11), plan, older=older)
    assert blessing.get_int_custom_property("blessed") == 1 and "not compared" in found["gates"][0]["message"]


def test_a_model_below_its_twin_is_not_blessed(run, make_split, make_model, tmp_path):
    """The files of the twins are by example id, as the split's are here."""
    gate = {"metric": "auc", "tolerance": 0.01, "confidence": 0.95}
    plan = {"tasks": {"click": {"kind": "binary", "metrics": ["auc"], "not_below_single_task": gate}}}
    split, twins = make_split(), standard_artifacts.InferenceResult()
    twins.uri = str(tmp_path / "references")
    x = split.arrays["x"]
    write_predictions(twins.uri, "single_task", split.arrays["example_id"], {"click": x, "value": x})
    write_about(twins.uri, {"references": {"single_task": {}}})
    _, blessing, found = run(split, make_model("model", 11, slope=-1.0), plan, references=twins)
    assert blessing.get_int_custom_property("blessed") == 0 and [gate["held"] for gate in found["gates"]] == [False]
    expected = metric_oracle.auc(split.arrays["labels"][:, 0], x)
    assert found["references"]["single_task"]["click"]["auc"] == pytest.approx(expected)
    _, blessing, _ = run(split, make_model("same", 12), plan, references=twins)
    assert blessing.get_int_custom_property("blessed") == 1
