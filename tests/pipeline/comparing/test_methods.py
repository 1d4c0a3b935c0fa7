"""Which methods a comparison trains, and how it calls them."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.recipe.errors import InputError
from models.recipe.file import load_recipe
from pipeline.comparing.methods import Method, methods_of
from pipeline.comparing.selection import Source, check_methods, every_architecture, selected

RECIPES = Path(__file__).parents[3] / "recipes"
SHOP = load_recipe(RECIPES / "shop.yaml")


def named(**names: list[str]) -> list[tuple[str, bool]]:
    return [(method.named("none"), method.asked) for method in methods_of(SHOP, **names)]


def test_the_recipes_own_method_has_the_rows_that_nobody_may_leave_out_beside_it() -> None:
    assert named() == [("single_task", False), ("shared_bottom", False), ("mmoe", True)]


def test_all_combinations_with_fixed_weights_before_each_balancer() -> None:
    assert named(architectures=["ple", "shared_bottom"], balancers=["pcgrad"], backbones=["none", "dcn_v2"]) == [
        ("single_task", False),
        ("shared_bottom", False),
        ("ple", False),
        ("ple + pcgrad", True),
        ("ple on dcn_v2", False),
        ("ple + pcgrad on dcn_v2", True),
        ("shared_bottom + pcgrad", True),
        ("shared_bottom on dcn_v2", False),
        ("shared_bottom + pcgrad on dcn_v2", True),
    ]


def test_a_row_that_is_asked_for_is_there_once() -> None:
    assert named(architectures=["single_task", "shared_bottom"]) == [("single_task", True), ("shared_bottom", True)]


def test_unknown_and_double_names_are_refused() -> None:
    with pytest.raises(InputError, match=r"unknown architecture 'pel'; .*'ple'"):
        named(architectures=["pel"])
    with pytest.raises(InputError, match="the balancer pcgrad is named twice"):
        named(balancers=["pcgrad", "fixed", "pcgrad"])


def test_the_recipe_of_a_method_has_its_names_the_recipes_layers_and_the_changes() -> None:
    source = Source(file=str(RECIPES / "shop.yaml"), overrides=("training.seed=7",))
    recipe = selected(
        source,
        Method("omoe", "dcn_v2", "pcgrad"),
        {"training.learning_rate": 0.5, "model.options.omoe.experts": 3},
    )
    assert (recipe.model.architecture, recipe.model.backbone, recipe.model.balancer) == ("omoe", "dcn_v2", "pcgrad")
    assert (recipe.training.seed, recipe.training.learning_rate) == (7, 0.5)
    # As the recipe's mmoe; the recipe itself has options of ple.
    assert recipe.model.options["omoe"] == {
        "units": [64, 32], "tower_units": [], "activation": "relu", "dropout": 0.0, "experts": 3,
    }  # fmt: skip
    ple = selected(source, Method("ple", "none"), {})
    assert ple.model.options["ple"] == {
        "levels": 1, "task_experts": 1, "shared_experts": 2, "units": [64, 32], "tower_units": [16],
    }  # fmt: skip


def test_methods_that_the_recipe_does_not_allow_are_refused_together() -> None:
    deskdrop = Source(file=str(RECIPES / "deskdrop.yaml"))
    with pytest.raises(InputError, match=r"(?s)does not allow all methods.*'aitm' passes on.*'resflow' passes on"):
        check_methods(deskdrop, [Method(name, "none") for name in ("aitm", "mmoe", "resflow")])
    every = every_architecture(deskdrop)
    assert {"mmoe", "ple", "single_task"} <= set(every) and not {"aitm", "resflow", "linear"} & set(every)
    check_methods(deskdrop, [Method(name, "none") for name in every])
