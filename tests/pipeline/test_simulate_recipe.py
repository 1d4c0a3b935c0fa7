from __future__ import annotations

from pathlib import Path

import pytest

from models.recipe.errors import InputError
from models.recipe.file import load_recipe
from pipeline.simulate_recipe import best_items_score, check_recipe

SHOP = Path(__file__).parents[2] / "recipes" / "shop.yaml"


def test_the_truly_best_items_are_where_the_simulator_writes_them() -> None:
    check_recipe(load_recipe(SHOP), SHOP)
    elsewhere = load_recipe(SHOP, ["retrieval.truth.path=truth/*.parquet"])
    with pytest.raises(
        InputError, match=r"retrieval\.truth\.path: the simulator does not write 'truth/\*\.parquet'; it writes"
    ):
        check_recipe(elsewhere, SHOP)


def test_the_value_of_an_item_is_wanted_only_for_the_truth_of_retrieval() -> None:
    assert best_items_score(load_recipe(SHOP)) is not None
    assert best_items_score(load_recipe(SHOP, ["retrieval=null"])) is None
    assert best_items_score(load_recipe(SHOP, ["retrieval.truth=null", "retrieval.gates=[]"])) is None
