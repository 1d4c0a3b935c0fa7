from __future__ import annotations

import pytest

from components.evaluation.best import Best, from_text, improved, keep, place_of, read_kept, to_text
from components.evaluation.plan import EvaluationPlan


def place(metric="auc", slice_=None, group_key=None, **about):
    task = {"kind": "binary", "metrics": [metric], "definition": "d"} | about
    plan = EvaluationPlan.model_validate({"tasks": {"click": task}, "group_key": group_key})
    return place_of(plan, "click", plan.tasks["click"], metric, slice_)


@pytest.mark.parametrize(
    ("metric", "values", "best"),
    [
        ("auc", [0.7, 0.8, 0.75], 0.8),
        ("log_loss", [0.5, 0.3, 0.4], 0.3),
        ("rmse", [5.0, 6.0], 5.0),
        ("calibration", [0.8, 1.1, 1.5, 0.85], 1.1),
    ],
)
def test_the_better_value_stays(metric, values, best):
    record = {}
    for night, value in enumerate(values):
        record = improved(record, {place(metric): value}, f"/{night}")
    assert record == {place(metric): Best(value=best, model=f"/{values.index(best)}")}


def test_of_equal_values_the_older_stays():
    record = improved(improved({}, {place(): 0.7}, "/old"), {place(): 0.7}, "/new")
    assert record[place()].model == "/old"


def test_what_a_model_does_not_know_is_handed_on():
    record = improved({}, {place("auc"): 0.7}, "/a")
    assert improved(record, {place("log_loss"): 0.3}, "/b")[place("auc")].model == "/a"


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ({"unmeasured": "allow"}, True),
        ({"gates": [{"metric": "auc", "at_least": 0.5}]}, True),
        ({"group_key": "user"}, True),
        ({"definition": "e"}, False),
        ({"slice_": {"device": "phone"}}, False),
        ({"metric": "pr_auc"}, False),
    ],
)
def test_what_is_comparable(other, same):
    assert (place(**other) == place()) is same


def test_gauc_is_of_its_groups():
    assert place("gauc", group_key="user") != place("gauc", group_key="session")


def test_text_and_folder(tmp_path):
    record = improved({}, {place(): 0.7, place(slice_={"device": "é"}): 0.6}, "/a")
    assert from_text(to_text(record)) == record and from_text("") == {}
    assert read_kept(str(tmp_path / "none")) == {}
    keep(record, str(tmp_path / "kept"))
    assert read_kept(str(tmp_path / "kept")) == record
