"""The probe's part of the recipe."""

from __future__ import annotations

from components.probe.named import unseen_row
from components.probe.plan import ProbePlan
from models.recipe.recipe import Recipe


def test_no_request_has_the_largest_integer_as_a_quantity() -> None:
    recipe = Recipe.model_validate(
        {
            "name": "shop",
            "examples": {"path": "x.parquet"},
            "features": {
                "age": {"kind": "numeric"},
                "age_value": {"kind": "categorical", "type": "integer", "column": "age"},
                "item": {"kind": "categorical", "type": "integer"},
                "device": {"kind": "categorical"},
                "price": {"kind": "numeric"},
            },
            "tasks": {"click": {"kind": "binary", "label": {"column": "click"}}},
        }
    )
    plan = ProbePlan.from_recipe(recipe)
    assert plan.quantities == ("age",)
    inputs = {"age": {"type": "int"}, "item": {"type": "int"}, "device": {"type": "bytes"}, "price": {"type": "float"}}
    expected = {"age": None, "item": 2**63 - 1, "device": b"gatewise: a value never seen", "price": None}
    assert unseen_row(inputs, plan) == expected
