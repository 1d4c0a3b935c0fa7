from __future__ import annotations

from components.validation.plan import ValidationPlan, drift_every
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


def test_the_same_weekday():
    streams = {
        name: {"path": "{YYYY}-{MM}-{DD}-{HH}.csv", "key": ["user"], "time": {"column": "at", "unit": "s"}}
        for name in "ab"
    }
    for span, drift_from, expected in (("1d", "last", 0), ("1d", "weekday", 7), ("1h", "weekday", 168)):
        logs = {"impressions": "a", "span": span, "streams": streams}
        given = recipe(
            examples=None,
            logs=logs,
            tasks={"bought": {"kind": "binary", "outcome": "b", "window": "1h"}},
            validation={"drift_from": drift_from},
        )
        assert drift_every(given) == expected == ValidationPlan.from_recipe(given).every
