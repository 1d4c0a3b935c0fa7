"""The recipes of the small problems: valid, and with no option of the model or the training."""

import dataclasses
from pathlib import Path

import polars as pl
import pytest
import yaml

from benchmarks.small.problems import PROBLEMS, RECIPE, prepare
from models.recipe.file import load_recipe
from models.recipe.model import Training


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_recipe_has_default_options(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the data: a cut of nothing writes the streams that the recipe names."""
    streams = PROBLEMS[name].recipe.get("logs", {}).get("streams", {"examples": {}})
    frames = dict.fromkeys(streams, pl.DataFrame({"none": [1]}))
    monkeypatch.setitem(PROBLEMS, name, dataclasses.replace(PROBLEMS[name], cut=lambda frame: frames))
    pl.DataFrame({"none": [1]}).write_parquet(tmp_path / PROBLEMS[name].file)
    path = prepare(name, tmp_path, tmp_path / "out")
    assert path.name == RECIPE
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert document["model"] == {"architecture": "mmoe"}
    assert "training" not in document
    recipe = load_recipe(path)
    assert recipe.training == Training()
    assert {file.stem for file in path.parent.glob("*.parquet")} == set(streams)
