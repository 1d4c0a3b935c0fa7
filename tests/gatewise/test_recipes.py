"""Recipes from files and dicts."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from gatewise import InputError, Recipe
from gatewise.recipes import as_recipe, file_of, texts_of
from models.recipe.file import load_recipe

ROOT = Path(__file__).resolve().parents[2]
SHOP = ROOT / "recipes" / "shop.yaml"


@pytest.fixture
def values() -> dict[str, Any]:
    return {
        "name": "small",
        "data": "days",
        "examples": {"path": "train.parquet", "eval_path": "test.parquet"},
        "features": {
            "age": {"kind": "numeric"},
            "code": {"kind": "categorical", "vocabulary": None, "hash_buckets": 8},
        },
        "tasks": {"click": {"kind": "binary", "label": {"column": "click", "positive": ["007", "no"]}}},
    }


def test_a_file_is_what_the_command_line_loads() -> None:
    recipe = Recipe.load(
        SHOP, set={"model.architecture": "ple", "training.epochs": 2, "evaluation.slices": [["device"]]}
    )
    same = load_recipe(SHOP, ["model.architecture=ple", "training.epochs=2", "evaluation.slices=[[device]]"])
    assert recipe.model_dump() == same.model_dump()
    assert recipe.model.architecture == "ple" and list(recipe.tasks) == list(same.tasks)
    assert Recipe.load(SHOP, set=["training.epochs=2"], data="logs").data == str(Path("logs").resolve())


def test_a_dict_is_what_its_yaml_would_be(
    values: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Texts that YAML could misread stay texts, and relative paths begin at the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(values))
    assert Recipe.load(values).model_dump() == load_recipe(tmp_path / "small.yaml").model_dump()
    assert Recipe.load(values).tasks["click"].label.positive == ("007", "no")  # type: ignore[union-attr]
    assert Recipe.load(values).data == str(tmp_path / "days")
    unusual = {**values, "data": PurePosixPath("/x"), "evaluation": {"slices": (("code",),)}}
    assert Recipe.load({**unusual, "data": tmp_path / "days"}).evaluation.slices == (("code",),)


def test_the_errors_of_a_dict_name_the_key_and_no_file(values: dict[str, Any]) -> None:
    values["features"]["age"]["knid"] = "numeric"
    values["tasks"]["click"]["los"] = 1
    with pytest.raises(InputError) as error:
        Recipe.load(values)
    lines = str(error.value).splitlines()
    assert lines[0].startswith("recipe: features.age.knid: unknown key 'knid'")
    assert lines[1].startswith("recipe: tasks.click.los: unknown key 'los'") and "/" not in lines[1].split(":")[0]


def test_values_without_a_yaml_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="received a value of type object"):
        Recipe.load({**values, "description": object()})


@pytest.mark.parametrize(
    ("given", "texts"),
    [
        ((), ()),
        ({}, ()),
        (["a.b=1"], ("a.b=1",)),
        (
            {"a.b": "no", "c": [1, None], "d": {"e": 0.5}, "f": True},
            ('a.b="no"', "c=[1, null]", 'd={"e": 0.5}', "f=true"),
        ),
    ],
)
def test_overrides(given: Any, texts: tuple[str, ...]) -> None:
    assert texts_of(given) == texts


@pytest.mark.parametrize("given", ["a=1", [1], {"a": object()}])
def test_what_is_no_override(given: Any) -> None:
    with pytest.raises(InputError, match="set: expected"):
        texts_of(given)


def test_more_overrides_come_after_the_recipe_s_own(values: dict[str, Any]) -> None:
    recipe = Recipe.load(values, set={"training.epochs": 2, "training.seed": 5}, data="logs")
    more = as_recipe(recipe, {"training.epochs": 3})
    assert (more.training.epochs, more.training.seed) == (3, 5) and more.data == recipe.data
    assert as_recipe(recipe) is recipe and as_recipe(recipe, data="/x").data == "/x"
    assert as_recipe(values, {"training.epochs": 3}).training.epochs == 3


def test_the_file_for_a_command(values: dict[str, Any], tmp_path: Path) -> None:
    file, origin = file_of(Recipe.load(SHOP, set={"training.seed": 2}), tmp_path)
    assert (file, origin.overrides) == (SHOP, ("training.seed=2",)) and not list(tmp_path.iterdir())
    recipe = Recipe.load(values, set={"training.seed": 2})
    file, origin = file_of(recipe, tmp_path)
    assert file.parent == tmp_path / "recipes" and file_of(recipe, tmp_path)[0] == file
    assert load_recipe(file, origin.overrides).model_dump() == recipe.model_dump()
    assert file_of(Recipe.load({**values, "description": "Another."}), tmp_path)[0] != file


def test_a_recipe_that_is_not_its_file_s_is_refused(tmp_path: Path, values: dict[str, Any]) -> None:
    """A run would silently be of another recipe."""
    file = tmp_path / "small.yaml"
    file.write_text(yaml.safe_dump(values))
    recipe = Recipe.load(file)
    with pytest.raises(InputError, match="was changed"):
        file_of(recipe.model_copy(update={"name": "other"}), tmp_path)
    file.write_text(yaml.safe_dump({**values, "training": {"epochs": 7}}))
    with pytest.raises(InputError, match="was changed"):
        file_of(recipe, tmp_path)
    with pytest.raises(InputError, match=r"expected a recipe of Recipe\.load"):
        file_of(Recipe.model_validate(recipe.model_dump(by_alias=True)), tmp_path)
