from __future__ import annotations

from components.validation.plan import ValidationPlan
from models.recipe.recipe import Recipe


def recipe(**sections):
    given = {
        "name": "shop",
        "features": {"device": {"kind": "categorical"}, "price": {"kind": "numeric"}},
        "tasks": {"bought": {"kind": "binary", "label": {"column": "bought"}}},
        "examples": {"path": "x.parquet"},
    }
    return Recipe.model_validate({**given, **sections})


def test_what_it_takes():
    validation = {"schema": "/a/schema.pbtxt", "on_drift": "warn", "drift": {"price": 0.2, "device": 0.1}}
    plan = ValidationPlan.from_recipe(recipe(validation=validation))
    assert plan.curated and plan.on_anomaly == "stop" and plan.on_drift == "warn"
    assert list(plan.drift.items()) == [("device", 0.1), ("price", 0.2)]
    assert ValidationPlan.model_validate_json(plan.model_dump_json()) == plan


def test_what_it_ignores():
    assert ValidationPlan.from_recipe(recipe()) == ValidationPlan()
    assert ValidationPlan.from_recipe(recipe(training={"epochs": 9})) == ValidationPlan()
    # the schema's content travels as an artifact, not as a path
    one = ValidationPlan.from_recipe(recipe(validation={"schema": "/a/schema.pbtxt"}))
    assert one == ValidationPlan.from_recipe(recipe(validation={"schema": "/b/schema.pbtxt"}))
