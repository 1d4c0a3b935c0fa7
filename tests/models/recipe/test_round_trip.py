"""A recipe that is written as JSON and read again is the same recipe: run records and compiled files hold it so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models.recipe.file import load_recipe
from models.recipe.recipe import Recipe

RECIPES = sorted((Path(__file__).resolve().parents[3] / "recipes").glob("*.yaml"))
GATES: list[Any] = ["none", "default", [{"metric": "auc", "at_least": 0.6}]]


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
@pytest.mark.parametrize("written", [{}, {"exclude_unset": True}], ids=["with defaults", "as given"])
def test_the_recipes(path: Path, written: dict[str, bool]) -> None:
    recipe = load_recipe(path)
    assert Recipe.model_validate_json(recipe.model_dump_json(by_alias=True, **written)) == recipe


@pytest.mark.parametrize("gates", [*GATES, None])
@pytest.mark.parametrize("written", [{}, {"exclude_unset": True}], ids=["with defaults", "as given"])
def test_gates(gates: Any, written: dict[str, bool]) -> None:
    task = {"kind": "binary", "label": {"column": "income"}, **({} if gates is None else {"gates": gates})}
    recipe = Recipe.model_validate(
        {
            "name": "census",
            "examples": {"path": "a.parquet"},
            "features": {"age": {"kind": "numeric"}},
            "tasks": {"income": task},
        }
    )
    read = Recipe.model_validate_json(recipe.model_dump_json(by_alias=True, **written))
    assert read.tasks["income"].gates == recipe.tasks["income"].gates
    if isinstance(gates, str):
        assert read.tasks["income"].gates == {"none": (), "default": None}[gates]
