from __future__ import annotations

import json
import os

import numpy as np
import pytest
import tensorflow_model_analysis as tfma

from components.evaluation.plan import EvaluationPlan
from components.evaluation.report import EvalExamples, evaluate
from components.evaluation.results import write_report
from components.evaluation.slices import Coded


@pytest.fixture
def written(tmp_path):
    plan = EvaluationPlan.model_validate(
        {
            "tasks": {
                "click": {
                    "kind": "binary",
                    "metrics": ["auc", "log_loss"],
                    "gates": [
                        {"metric": "auc", "at_least": 0.9},
                        {"metric": "auc", "at_least": 0.5, "slice": {"device": "tablet"}},
                        {"metric": "auc", "at_most": 1.0},
                    ],
                }
            },
            "slices": [["device"]],
        }
    )
    examples = EvalExamples(
        labels={"click": np.array([1.0, 0.0, 0.0, 1.0])},
        weights={"click": np.ones(4)},
        columns={"device": Coded(codes=np.array([0, 0, 1, -1]), values=("phone", "tablet"))},
    )
    report = evaluate(plan, examples, {"click": np.array([0.9, 0.2, 0.4, 0.3])})
    folder = str(tmp_path / "evaluation")
    write_report(report, plan, folder, "/the/model", "/the/examples")
    return report, folder


def test_tfma_loads_the_metrics(written):
    report, folder = written
    result = tfma.load_eval_result(folder)
    overall = result.get_metrics_for_slice((), output_name="click")
    interval = report.intervals["click"]["auc"]
    assert interval.lower < 0.75 < interval.upper
    bounds = {"lowerBound": pytest.approx(interval.lower), "upperBound": pytest.approx(interval.upper)}
    assert overall["auc"] == {"boundedValue": {"value": 0.75, **bounds}}
    assert overall["log_loss"]["boundedValue"]["value"] == pytest.approx(report.tasks["click"]["log_loss"])
    assert overall["example_count"] == {"doubleValue": 4.0}
    assert result.get_metrics_for_slice((("device", "phone"),), output_name="click")["auc"] == {"doubleValue": 1.0}
    # only one class: the metric is left out, the others are there
    missing = result.get_metrics_for_slice((("device", "(missing)"),), output_name="click")
    assert "auc" not in missing and missing["positive_count"] == {"doubleValue": 1.0}
    assert len(result.slicing_metrics) == 4
    assert result.model_location == "/the/model" and result.data_location == "/the/examples"
    assert [list(spec.feature_keys) for spec in result.config.slicing_specs] == [[], ["device"]]
    assert result.config.metrics_specs[0].metrics[0].threshold.value_threshold.lower_bound.value == 0.9


def test_tfma_loads_the_validation(written):
    _, folder = written
    result = tfma.load_validation_result(folder)
    assert not result.validation_ok and result.rubber_stamp
    by_slice = {
        tuple((key.column, key.bytes_value.decode()) for key in found.slice_key.single_slice_keys): list(found.failures)
        for found in result.metric_validations_per_slice
    }
    assert set(by_slice) == {(), (("device", "tablet"),)}
    [failure] = by_slice[()]
    assert failure.metric_key.name == "auc" and failure.metric_key.output_name == "click"
    assert failure.metric_value.double_value.value == 0.75
    assert failure.metric_threshold.value_threshold.lower_bound.value == 0.9
    assert failure.message == "click: auc is 0.75, required at least 0.9."
    [failure] = by_slice[(("device", "tablet"),)]
    assert "only one class in device = tablet" in failure.message


def test_files(written):
    report, folder = written
    assert sorted(os.listdir(folder)) == [
        "eval_config.json",
        "metrics-00000-of-00001.tfrecord",
        "metrics.json",
        "validations.tfrecord",
    ]
    with open(os.path.join(folder, "metrics.json")) as file:
        assert json.load(file) == report.to_json()
