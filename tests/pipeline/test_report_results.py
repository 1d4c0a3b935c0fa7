"""The sections about the evaluation."""

import copy
import re

import pytest

from pipeline.report import ReportData, page
from tests.doubles.full_report import FULL, rows


def test_a_gate_on_a_count_has_a_whole_number():
    full = copy.deepcopy(FULL)
    full["metrics"]["gates"] = [
        {"task": "click", "metric": "example_count", "slice": {}, "limit": "at least 1", "value": 0, "held": True}
    ]
    assert rows(page(ReportData(**full)), "gates")[1][-2:] == ["at least 1", "0"]


def test_slices_are_sorted_from_the_worst_and_the_unmeasured_come_last():
    text = page(ReportData(**FULL))
    assert [row[0] for row in rows(text, "slices")[1:]] == [
        "device = tv",
        "device = desktop",
        "device = phone",
        "device = watch",
    ]
    assert 'class="worst"' not in text, "without an interval, nothing is sure"


def test_slices_with_few_examples_are_grey_and_after_the_ranked_ones():
    full = copy.deepcopy(FULL)
    bounds = {"auc": {"lower": 0.6, "upper": 0.8, "standard_error": 0.05}}
    full["metrics"]["slices"] = [
        {"slice": {"device": "tv"}, "task": "click", "auc": 0.2, "few": True},
        {"slice": {"device": "pc"}, "task": "click", "auc": 0.8, "intervals": bounds},
        {"slice": {"device": "phone"}, "task": "click", "auc": 0.7, "intervals": bounds},
    ]
    text = page(ReportData(**full))
    assert rows(text, "slices")[1:] == [
        ["device = phone", "0.7000", "0.6000 to 0.8000"],
        ["device = pc", "0.8000", "0.6000 to 0.8000"],
        ["device = tv", "0.2000", "–"],
    ]
    assert 'class="worst"' not in text, "the value of all examples, 0.75, is in the interval"
    assert '<tr class="few"><th scope=row>device = tv' in text


@pytest.mark.parametrize(
    ("metric", "whole", "lower", "upper", "worse"),
    [
        ("auc", 0.75, 0.6, 0.74, True),
        ("auc", 0.75, 0.6, 0.76, False),
        ("auc", 0.75, 0.76, 0.8, False),
        ("log_loss", 0.3, 0.31, 0.4, True),
        ("log_loss", 0.3, 0.2, 0.29, False),
    ],
)
def test_a_slice_is_red_only_if_its_whole_interval_is_worse(metric, whole, lower, upper, worse):
    full = copy.deepcopy(FULL)
    full["metrics"]["tasks"] = {"click": {metric: whole}}
    bounds = {metric: {"lower": lower, "upper": upper, "standard_error": 0.05}}
    entry = {"slice": {"device": "tv"}, "task": "click", metric: (lower + upper) / 2.0, "intervals": bounds}
    full["metrics"]["slices"] = [entry]
    text = page(ReportData(**full))
    assert ('<tr class="worst"><th scope=row>device = tv' in text) is worse
    assert ("red: surely worse than the whole eval split" in text) is worse


def test_the_gates_say_that_there_is_no_baseline():
    full = copy.deepcopy(FULL)
    words = "There is no baseline, so the gates against it pass without a comparison."
    full["metrics"]["gates"][0]["limit"] = "at most 0.02 worse than the baseline"
    assert words not in page(ReportData(**full))
    full["metrics"]["baseline"] = None
    text = page(ReportData(**full))
    assert words in text
    assert rows(text, "metrics")[0] == ["Metric", "Model", "± (95 %)", "Constant"], "no empty columns"


def test_the_curves_are_drawn_and_described():
    section = re.search(r'<section id="curves".*?</section>', page(ReportData(**FULL)), re.DOTALL)[0]
    assert section.count("<svg") == 1
    for title in ("Reliability", "ROC", "Precision-recall", "Lift", "Predictions"):
        assert f">{title}</text>" in section
    assert "in the first: 1.60, with 80% of the positives" in section
    none = copy.deepcopy(FULL)
    none["metrics"]["curves"] = {}
    assert "No binary task has eval examples of both classes." in page(ReportData(**none))


def test_many_slices_are_folded():
    full = copy.deepcopy(FULL)
    full["metrics"]["slices"] = [
        {"slice": {"item": str(item)}, "task": "click", "log_loss": item / 100} for item in range(20)
    ]
    text = page(ReportData(**full))
    assert "<summary>8 more slices of click</summary>" in text
    assert [row[0] for row in rows(text, "slices") if row[0] != "Slice"] == [
        f"item = {item}" for item in range(19, -1, -1)
    ], "a high loss is bad"


def test_the_references_are_columns_of_the_metrics():
    about = {
        "model": {"architecture": "mmoe", "network_parameters": 27092},
        "references": {"linear": {"network_parameters": 84}},
    }
    worse = {"metric": "auc", "loss": 0.01, "lower": None, "upper": None, "standard_error": None}
    references = {"linear": {"click": {"auc": 0.76}}, "differences": {"linear": {"click": worse}}, "about": about}
    text = page(ReportData(**{**FULL, "metrics": {**FULL["metrics"], "references": references}}))
    assert ["auc", "0.7500", "0.0188", "0.7400", "+0.0100", "0.5000", "0.7600"] in rows(text, "metrics")
    assert "Network parameters (without the embedding tables): mmoe 27,092, linear 84." in text
    assert "<li>The model is no better than the linear model: click (auc 0.0100 worse). Try: " in text
