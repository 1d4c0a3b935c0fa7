from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from benchmarks import wide_logs
from benchmarks.prepare import RECIPE
from models.recipe.features import column_of
from models.recipe.file import load_recipe


def read(folder: Path, stream: str) -> pl.DataFrame:
    return pl.read_parquet(sorted((folder / stream).glob("*.parquet")))


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wide") / "logs"
    wide_logs.write(folder, 20_000, seed=1)
    return folder


def test_the_recipe_fits_the_logs(logs: Path) -> None:
    recipe, impressions = load_recipe(RECIPE), read(logs, "impressions")
    kinds = [feature.kind for feature in recipe.features.values()]
    assert len(kinds) == 40 and len(recipe.tasks) == 4 and recipe.logs and len(recipe.logs.streams) == 3
    assert kinds.count("categorical") == 26 and kinds.count("multivalued") == 4
    assert {column_of(name, feature) for name, feature in recipe.features.items()} <= set(impressions.columns)
    assert sum(impressions[column].n_unique() for [column] in recipe.evaluation.slices) == 20
    for name, stream in recipe.logs.streams.items():
        columns = set(read(logs, f"{name}s").columns)
        assert {*stream.key, stream.time.column, stream.event_id} <= columns
        assert stream.value is None or stream.value in columns


def test_several_files_and_every_impression_once(logs: Path) -> None:
    impressions = read(logs, "impressions")
    assert len(list((logs / "impressions").iterdir())) == 4
    assert impressions["impression_id"].to_list() == list(range(20_000))
    assert impressions["time"].is_sorted()


def test_labels_depend_on_features(logs: Path) -> None:
    clicks = read(logs, "clicks")["click_id"]
    shown = read(logs, "impressions").with_columns(clicked=pl.col("impression_id").is_in(clicks.implode()))
    assert 0.05 < shown["clicked"].mean() < 0.15
    phone = shown.filter(device="device-0")["clicked"].mean()
    assert phone > 1.1 * shown.filter(pl.col("device") != "device-0")["clicked"].mean()
    assert read(logs, "orders").height > 50


def test_a_pure_function_of_its_arguments(logs: Path, tmp_path: Path) -> None:
    wide_logs.write(tmp_path / "same", 20_000, seed=1)
    wide_logs.write(tmp_path / "other", 20_000, seed=2)
    for file in sorted(path.relative_to(logs) for path in logs.rglob("*.parquet")):
        assert (tmp_path / "same" / file).read_bytes() == (logs / file).read_bytes()
    assert not read(tmp_path / "other", "clicks").equals(read(logs, "clicks"))


def test_skew(tmp_path: Path) -> None:
    wide_logs.write(tmp_path / "logs", 20_000, seed=1, skew=True)
    impressions = read(tmp_path / "logs", "impressions")
    share = impressions["user_id"].value_counts(sort=True)["count"][0] / impressions.height
    assert share == pytest.approx(0.05, abs=0.006)


def test_what_is_there_is_used_again_and_nothing_else_is_replaced(tmp_path: Path) -> None:
    assert wide_logs.write(tmp_path / "logs", 100, seed=1) > 0
    assert wide_logs.write(tmp_path / "logs", 100, seed=1) == 0
    assert wide_logs.write(tmp_path / "logs", 100, seed=2) > 0
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    with pytest.raises(ValueError, match="holds something other than wide logs"):
        wide_logs.write(tmp_path / "mine", 100, seed=1)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "precious"
    with pytest.raises(ValueError, match="at least 1 row"):
        wide_logs.write(tmp_path / "none", 0, seed=1)
