from __future__ import annotations

import copy

import pytest

from components.evaluation.plan import EvaluationPlan, definition_of, truth_fingerprint
from models.recipe.errors import InputError
from models.recipe.recipe import Recipe


def recipe(tasks=None, **sections):
    given = {
        "name": "shop",
        "features": {"device": {"kind": "categorical"}},
        "tasks": tasks or {"bought": {"kind": "binary", "label": {"column": "bought"}}},
        "examples": {"path": "x.parquet"},
    }
    return Recipe.model_validate({**given, **sections})


def test_default_metrics_without_a_group_key():
    plan = EvaluationPlan.from_recipe(recipe())
    assert plan.tasks["bought"].metrics == ("auc", "log_loss", "pr_auc", "calibration")
    assert plan.columns == () and plan.truth is None


def test_everything_it_takes():
    gate = {"metric": "auc", "at_least": 0.7, "slice": {"land": "at"}}
    tasks = {"bought": {"kind": "binary", "label": {"column": "bought"}, "gates": [gate]}}
    evaluation = {
        "slices": [["device"], ["device", "land"]],
        "group_key": "user",
        "truth": {"path": "t.csv", "event_id": "id", "columns": {"bought": "p"}},
    }
    plan = EvaluationPlan.from_recipe(recipe(tasks, evaluation=evaluation, data="/data"))
    assert plan.tasks["bought"].metrics[-1] == "gauc"
    assert plan.tasks["bought"].gates[0].slice == {"land": "at"}
    assert plan.columns == ("device", "land", "user")
    assert plan.truth.data == "/data" and plan.truth.columns == {"bought": "p"}
    assert EvaluationPlan.model_validate_json(plan.model_dump_json()) == plan


def test_what_it_ignores():
    assert EvaluationPlan.from_recipe(recipe(training={"epochs": 9})) == EvaluationPlan.from_recipe(recipe())
    assert EvaluationPlan.from_recipe(recipe(data="/elsewhere")) == EvaluationPlan.from_recipe(recipe())


def test_fingerprint_of_the_truth(tmp_path):
    assert truth_fingerprint(recipe()) == ""
    truth = {"truth": {"path": "t.csv", "event_id": "id", "columns": {"bought": "p"}}}
    with pytest.raises(InputError, match=r"evaluation\.truth: no file matches"):
        truth_fingerprint(recipe(evaluation=truth, data=str(tmp_path)))
    (tmp_path / "t.csv").write_text("id,p\n1,0.5\n")
    first = truth_fingerprint(recipe(evaluation=truth, data=str(tmp_path)))
    (tmp_path / "t.csv").write_text("id,p\n1,0.6\n")
    assert first and first != truth_fingerprint(recipe(evaluation=truth, data=str(tmp_path)))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"gates": "none"}, []),
        ({"gates": [{"metric": "auc", "at_least": 0.7}]}, [("auc", False)]),
        ({}, [("log_loss", True), ("calibration", True)]),
        ({"metrics": ["auc"]}, [("log_loss", True), ("calibration", True)]),
        ({"kind": "regression"}, [("rmse", True), ("calibration", True)]),
    ],
)
def test_the_gates_of_a_task_that_names_none(given, expected):
    tasks = {"bought": {"kind": "binary", "label": {"column": "bought"}} | given}
    plan = EvaluationPlan.from_recipe(recipe(tasks))
    assert [(gate.metric, gate.default) for gate in plan.tasks["bought"].gates] == expected


STREAM = {"path": "x/*.csv", "key": ["user"], "time": {"column": "at", "unit": "s"}}
GIVEN = {
    "name": "shop",
    "features": {"device": {"kind": "categorical"}},
    "logs": {"impressions": "seen", "streams": {"seen": STREAM, "click": STREAM, "buy": STREAM}},
    "split": {"eval_last": "1d"},
    "tasks": {
        "click": {"kind": "binary", "outcome": "click", "window": "1h"},
        "buy": {"kind": "binary", "outcome": "buy", "window": "1d", "conditioned_on": "click"},
    },
}


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (lambda r: r["logs"]["streams"]["seen"].update(path="other/*.csv"), True),
        (lambda r: r["logs"].update(as_of="2026-01-15T00:00:00Z"), True),
        (lambda r: r["tasks"]["buy"].update(gates="none", loss="binary_crossentropy", weight=0.5), True),
        (lambda r: r.update(training={"epochs": 9}), True),
        (lambda r: r["tasks"]["buy"].update(negative_rate=0.1), True),
        (lambda r: r["tasks"]["click"].update(weight_column="w"), True),
        (lambda r: r["tasks"]["buy"].update(weight_column="w"), False),
        (lambda r: r["tasks"]["buy"].update(window="2d"), False),
        (lambda r: r["tasks"]["click"].update(window="2h"), False),
        (lambda r: r["tasks"]["click"].update(above=2), False),
        (lambda r: r["tasks"]["buy"].pop("conditioned_on"), False),
        (lambda r: r["logs"]["streams"]["seen"].update(where={"kind": ["a"]}), False),
        (lambda r: r["split"].update(eval_last="2d"), False),
        (lambda r: r.update(split={"eval_from": "2026-01-15T00:00:00Z"}), False),
    ],
)
def test_what_changes_what_a_value_means(change, same):
    changed = copy.deepcopy(GIVEN)
    change(changed)
    recipes = (Recipe.model_validate(GIVEN), Recipe.model_validate(changed))
    first, second = (definition_of(recipe, "buy") for recipe in recipes)
    assert (first == second) is same


def test_a_moment_that_moves_every_night_does_not():
    nights = ({**GIVEN, "split": {"eval_from": f"2026-01-{day}T00:00:00Z"}} for day in (15, 16))
    first, second = (definition_of(Recipe.model_validate(night), "buy") for night in nights)
    assert first == second


def test_an_auxiliary_task_is_not_measured():
    tasks = {
        "click": {"kind": "binary", "label": {"column": "click"}},
        "stay": {"kind": "binary", "label": {"column": "stay"}, "role": "auxiliary"},
    }
    assert list(EvaluationPlan.from_recipe(recipe(tasks)).tasks) == ["click"]
