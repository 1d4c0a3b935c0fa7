"""What the retrieval trainer is told, and what it is not: a changed gate must not train again."""

from __future__ import annotations

from typing import Any

import pytest

from models.retrieval.plan import RetrievalPlan

from .conftest import recipe_with


@pytest.mark.parametrize(
    "others",
    [
        {"gates": [{"metric": "mrr", "at_least": 0.1}], "k": [5], "max_queries": 7, "exclude_seen": False},
        {"positives": {"click": 3.0}, "item_ttl": "3d"},
    ],
    ids=["evaluation", "interactions"],
)
def test_what_other_stages_read_changes_nothing(others: dict[str, Any]) -> None:
    assert RetrievalPlan.from_recipe(recipe_with(**others)) == RetrievalPlan.from_recipe(recipe_with())


@pytest.mark.parametrize(
    "own", [{"dim": 16}, {"epochs": 9}, {"candidates": 3}, {"max_exact_items": 1}, {"context": []}], ids=str
)
def test_what_the_trainer_reads_does(own: dict[str, Any]) -> None:
    assert RetrievalPlan.from_recipe(recipe_with(**own)) != RetrievalPlan.from_recipe(recipe_with())


def test_the_kind_of_a_prior_is_of_the_item_table_only() -> None:
    plans = [
        RetrievalPlan.from_recipe(recipe_with(log_q=False, prior={"kind": kind, "window": "1d"}))
        for kind in ("popularity", "rate")
    ]
    assert plans[0] == plans[1] and plans[0].prior
    assert not RetrievalPlan.from_recipe(recipe_with(log_q=False)).prior


def test_inputs_and_features_of_each_side() -> None:
    plan = RetrievalPlan.from_recipe(recipe_with())
    assert plan.user_features == ("segment", "age", "device") and plan.item_features == ("item_id", "tags", "price")
    assert list(plan.user_inputs) == ["segment", "age", "device"]
    assert {name: about.type for name, about in plan.item_inputs.items()} == {
        "item_id": "int",
        "tags": "bytes",
        "price": "float",
    }
    assert plan.history_feature == "item_id" and plan.wide_tables == ("item_id",)
    assert (plan.user.type, plan.item.type) == ("bytes", "int")


def test_a_recipe_without_the_section() -> None:
    recipe = recipe_with()
    with pytest.raises(ValueError, match="a recipe with a section retrieval"):
        RetrievalPlan.from_recipe(recipe.model_copy(update={"retrieval": None}))
