"""What differs between two records."""

from __future__ import annotations

from pipeline.run_diff import Paired, changed, changed_inputs, compared_metrics
from tests.doubles.run_records import A, B, record


def test_changed_keys_are_dotted_and_a_missing_one_is_a_dash() -> None:
    left = {"model": {"architecture": "mmoe", "options": {"mmoe": {"experts": 4}}}, "tasks": [1], "same": {"a": None}}
    right = {"model": {"architecture": "ple", "options": {}}, "tasks": [1, 2], "same": {"a": None}}
    assert changed(left, right) == [
        ("model.architecture", '"mmoe"', '"ple"'),
        ("model.options.mmoe.experts", "4", "-"),
        ("tasks", "[1]", "[1, 2]"),
        ("model.options", "-", "{}"),
    ]
    assert changed(left, left) == []


def test_code_and_data_only_if_they_differ() -> None:
    one = record(A)
    assert changed_inputs(one, record(B)) == []
    other = record(
        B, code={"gatewise": "0.1.0", "stages": {"Trainer": "bb"}}, data={**one["data"], "fingerprint": "f2"}
    )
    assert changed_inputs(one, other) == [("data.fingerprint", '"f1"', '"f2"'), ("code.stages.Trainer", '"aa"', '"bb"')]
    assert changed_inputs({"id": A}, {"id": B}) == [], "of runs that failed early"


def test_metrics_side_by_side_without_counts() -> None:
    pair = Paired(gain=0.01, lower=0.001, upper=0.019)
    other = record(B, metrics={"click": {"auc": 0.76}, "cart": {"auc": 0.6}})
    assert compared_metrics(record(A), other, {("click", "auc"): pair}) == [
        ("click", "auc", 0.75, 0.76, pair),
        ("click", "log_loss", 0.3, None, None),
        ("cart", "auc", None, 0.6, None),
    ]


def test_a_difference_is_only_clear_if_its_interval_leaves_0_out() -> None:
    bounds = [(0.001, 0.019), (-0.02, -0.01), (-0.001, 0.001)]
    assert [Paired(gain=0.0, lower=lower, upper=upper).verdict for lower, upper in bounds] == [
        "better",
        "worse",
        "no clear difference",
    ]
