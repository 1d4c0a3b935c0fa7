from __future__ import annotations

from components.statistics.plan import StatisticsPlan
from models.recipe.recipe import Recipe

FEATURES = {
    "user": {"kind": "categorical", "type": "integer"},
    "viewed": {"kind": "multivalued", "type": "integer", "column": "history"},
    "device": {"kind": "categorical"},
    "price": {"kind": "numeric"},
    "age": {"kind": "bucketised", "buckets": 3},
}
TASKS = {"bought": {"kind": "binary", "label": {"column": "bought"}}}


def recipe(**sections):
    given = {"name": "shop", "features": FEATURES, "tasks": TASKS, "examples": {"path": "x.parquet"}}
    return Recipe.model_validate({**given, **sections})


def test_columns_of_integers_that_are_ids():
    assert StatisticsPlan.from_recipe(recipe()).integer_categories == ("history", "user")


def test_a_column_of_ids_and_quantities_is_of_ids():
    features = {"size": {"kind": "numeric", "column": "user"}, "user": FEATURES["user"]}
    exact = {"price_value": {"kind": "categorical", "type": "number", "column": "price"}, "price": FEATURES["price"]}
    assert StatisticsPlan.from_recipe(recipe(features={**features, **exact})).integer_categories == ("user",)


def test_nothing_else_of_the_recipe_counts():
    plan = StatisticsPlan.from_recipe(recipe())
    assert StatisticsPlan.from_recipe(recipe(features=dict(reversed(FEATURES.items())))) == plan
    assert StatisticsPlan.from_recipe(recipe(training={"epochs": 9}, validation={"drift": {"device": 0.1}})) == plan
    assert StatisticsPlan.model_validate_json(plan.model_dump_json()) == plan
