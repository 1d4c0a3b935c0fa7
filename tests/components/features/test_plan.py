"""The plan holds what the stage needs of the recipe, and nothing else."""

import subprocess
import sys
from typing import Any

from components.features.plan import FeaturesPlan
from models.recipe.recipe import Recipe


def recipe(**changes: Any) -> Recipe:
    content: dict[str, Any] = {
        "name": "shop",
        "examples": {"path": "x.parquet"},
        "split": {"eval_fraction": 0.2},
        "features": {
            "tags": {"kind": "multivalued", "separator": "|", "side": "item"},
            "device": {"kind": "categorical", "dim": 3},
            "age": {"kind": "bucketised", "buckets": 4},
            "price": {"kind": "numeric"},
        },
        "tasks": {
            "zeta": {"kind": "binary", "label": {"column": "z"}},
            "alpha": {"kind": "binary", "label": {"column": "a"}},
        },
        "model": {"embedding_dim": 8},
    }
    return Recipe.model_validate(content | changes)


def test_round_trip_keeps_order_and_fills_in_the_widths() -> None:
    plan = FeaturesPlan.from_recipe(recipe())
    assert FeaturesPlan.model_validate_json(plan.model_dump_json()) == plan
    assert list(plan.features) == ["tags", "device", "age", "price"]
    assert plan.tasks == ("zeta", "alpha")
    assert [getattr(feature, "dim", None) for feature in plan.features.values()] == [8, 3, 8, None]


def test_what_other_stages_read_does_not_change_it() -> None:
    plan = FeaturesPlan.from_recipe(recipe())
    changed = recipe(
        model={"embedding_dim": 8, "architecture": "ple"},
        evaluation={"slices": [["device"]]},
        features={
            "tags": {"kind": "multivalued", "separator": ",", "side": "user"},
            "device": {"kind": "categorical", "dim": 3, "side": "user", "served_as": "tv"},
            "age": {"kind": "bucketised", "buckets": 4},
            "price": {"kind": "numeric", "side": "item"},
        },
    )
    assert FeaturesPlan.from_recipe(changed).model_dump_json() == plan.model_dump_json()


def test_the_group_is_there_only_for_a_loss_within_groups() -> None:
    tasks = {"zeta": {"kind": "binary", "label": {"column": "z"}}}
    grouped = recipe(tasks=tasks, evaluation={"group_key": "request"})
    assert FeaturesPlan.from_recipe(grouped).group_key is None
    tasks["zeta"]["loss"] = "ranknet"
    assert FeaturesPlan.from_recipe(recipe(tasks=tasks, evaluation={"group_key": "request"})).group_key == "request"


def test_imports_neither_tensorflow_nor_tfx_nor_beam() -> None:
    code = (
        "import sys, components.features.plan, components.features.analysers\n"
        "print([name for name in ('tensorflow', 'keras', 'tfx', 'apache_beam') if name in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
