"""The plan holds what the stage needs of the recipe, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from components.interactions.plan import InteractionsPlan, PriorPlan
from models.recipe.recipe import Recipe

STREAM = {"path": "x/*.parquet", "key": ["user_id", "item_id"], "time": {"column": "t", "unit": "s"}}
RECIPE: dict[str, Any] = {
    "name": "small",
    "logs": {"impressions": "shown", "streams": {"shown": STREAM, "click": STREAM}},
    "features": {
        "user_id": {"kind": "categorical", "side": "user"},
        "years": {"kind": "numeric", "column": "age", "side": "user"},
        "age": {"kind": "bucketised", "side": "user", "buckets": 3},
        "article": {"kind": "categorical", "column": "item_id", "side": "item"},
        "tags": {"kind": "multivalued", "side": "item"},
        "device": {"kind": "categorical"},
        "position": {"kind": "categorical"},
    },
    "tasks": {"click": {"kind": "binary", "outcome": "click", "window": "1h"}},
}
SECTION: dict[str, Any] = {
    "user": "user_id",
    "item": "item_id",
    "positives": {"click": 2.0, "shown": 0.5},
    "context": ["device"],
}


def plan_of(section: dict[str, Any] | None = None, **recipe: Any) -> InteractionsPlan:
    return InteractionsPlan.from_recipe(
        Recipe.model_validate({**RECIPE, **recipe, "retrieval": {**SECTION, **(section or {})}})
    )


def test_from_a_recipe() -> None:
    plan = plan_of({"prior": {"kind": "rate", "window": "4h"}, "item_ttl": "30d", "history": 7})
    assert InteractionsPlan.model_validate_json(plan.model_dump_json()) == plan
    assert (plan.user, plan.item) == ("user_id", "item_id")
    assert plan.tasks == {"click": 2.0} and plan.impression == 0.5
    # Each column once, without those that name user and item.
    assert plan.user_columns == ("age", "device") and plan.item_columns == ("tags",)
    assert (plan.history, plan.history_feature) == (7, "article")
    assert plan.prior == PriorPlan(kind="rate", window=4 * 3_600_000_000)
    assert plan.item_ttl == 30 * 86_400_000_000


def test_without_what_is_optional() -> None:
    plan = plan_of({"history": 0, "positives": {"click": 1.0}})
    assert (plan.impression, plan.history_feature, plan.prior, plan.item_ttl) == (0.0, "", None, None)


def test_what_other_stages_read_changes_nothing() -> None:
    others = {
        "dim": 8,
        "units": [4],
        "epochs": 9,
        "k": [5],
        "gates": [{"metric": "mrr", "at_least": 0.1}],
        "candidates": 3,
        "log_q": False,
    }
    assert plan_of(others, training={"epochs": 2}).model_dump_json() == plan_of().model_dump_json()
    for key, value in (("exclude_seen", False), ("max_queries", 5)):
        assert getattr(plan_of({key: value}), key) == value


def test_a_recipe_without_the_section() -> None:
    with pytest.raises(ValueError, match="a recipe with a section retrieval"):
        InteractionsPlan.from_recipe(Recipe.model_validate(RECIPE))


def test_no_tensorflow_for_a_plan() -> None:
    code = "import sys, components.interactions.plan\nassert not {'tensorflow', 'tfx', 'keras'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
