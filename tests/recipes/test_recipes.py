"""The recipes that come with gatewise: valid, explained, and true to the data they name."""

from pathlib import Path

import polars as pl
import pytest
import yaml

from models.recipe.features import column_of
from models.recipe.file import load_recipe
from models.recipe.recipe import Recipe
from pipeline.simulate import simulate
from pipeline.simulate_events import WINDOWS_MS
from pipeline.simulate_recipe import best_items_score

ROOT = Path(__file__).resolve().parents[2]
RECIPES = sorted((ROOT / "recipes").glob("*.yaml"))
DATA = ROOT.parent / "shared" / "data"


def test_all_are_here():
    assert [path.stem for path in RECIPES] == ["census_income", "deskdrop", "shop", "shop_days", "taobao"]


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_is_valid_named_like_its_file_and_opens_with_an_explanation(path):
    recipe = load_recipe(path)
    assert recipe == recipe.model_copy() and Recipe.model_validate(yaml.safe_load(path.read_text())).name == path.stem
    opening = path.read_text().split("\nname:")[0]
    assert opening.startswith("# ") and f"gatewise run recipes/{path.name}" in opening
    assert all(line.startswith("#") for line in opening.splitlines())
    assert all(len(line) <= 130 for line in path.read_text().splitlines())
    for architecture in ("mmoe", "ple", "shared_bottom"):
        load_recipe(path, [f"model.architecture={architecture}"])


@pytest.mark.parametrize("name", ["census_income", "deskdrop", "taobao"])
def test_every_column_is_in_the_real_data(name):
    recipe = load_recipe(ROOT / "recipes" / f"{name}.yaml", data=DATA)
    wanted: dict[str, set[str]] = {}
    features = {column_of(key, feature) for key, feature in recipe.features.items()}
    if recipe.examples:
        labels = {task.label.column for task in recipe.tasks.values() if task.label}
        wanted = {recipe.examples.path: features | labels, str(recipe.examples.eval_path): features | labels}
    else:
        assert recipe.logs
        for key, stream in recipe.logs.streams.items():
            mine = features if key == recipe.logs.impressions else set()
            wanted[stream.path] = (
                wanted.get(stream.path, set()) | {*stream.key, stream.time.column, *stream.where} | mine
            )
    for file, columns in wanted.items():
        if not (DATA / file).is_file():
            pytest.skip(f"{file} is not beside this checkout (../shared/data)")
        assert columns <= set(pl.read_parquet_schema(DATA / file))


def test_the_census_recipe_uses_every_column_but_labels_and_weight():
    recipe = load_recipe(ROOT / "recipes" / "census_income.yaml")
    used = {column_of(name, feature) for name, feature in recipe.features.items()}
    assert len(used) == 42 - 3
    assert not used & {"instance_weight", "income", "marital_status"}
    assert recipe.features["industry_code"].kind == recipe.features["year"].kind == "categorical"


def test_the_shop_recipe_fits_the_simulated_logs(tmp_path):
    recipe = load_recipe(ROOT / "recipes" / "shop.yaml", data=tmp_path / "logs")
    summary = simulate(tmp_path / "logs", 300, seed=1, score=best_items_score(recipe))
    assert recipe.logs and recipe.evaluation.truth and recipe.retrieval and recipe.retrieval.truth
    assert recipe.logs.as_of.isoformat().replace("+00:00", "Z") == summary.as_of
    for name, stream in recipe.logs.streams.items():
        columns = pl.read_parquet_schema(next(summary.out.glob(stream.path)))
        assert {*stream.key, stream.event_id, stream.time.column, *([stream.value] if stream.value else [])} <= set(
            columns
        )
        if name == recipe.logs.impressions:
            assert {column_of(key, feature) for key, feature in recipe.features.items()} <= set(columns)
    truth = pl.read_parquet_schema(next(summary.out.glob(recipe.evaluation.truth.path)))
    assert {recipe.evaluation.truth.event_id, *recipe.evaluation.truth.columns.values()} <= set(truth)
    best = recipe.retrieval.truth
    assert {best.user, best.item, best.value} == set(pl.read_parquet_schema(next(summary.out.glob(best.path))))
    for task in recipe.tasks.values():
        assert task.window.total_seconds() * 1000 == WINDOWS_MS[f"{task.outcome}s"], (
            "else the truth is of another window"
        )
