"""The logs that the news benchmark makes of the publisher's clicks."""

from pathlib import Path

import polars as pl
import pytest

from benchmarks.globo import RECIPE, prepare
from models.recipe.errors import InputError
from models.recipe.file import load_recipe

MINUTE = 60_000


def clicks(rows: list[tuple[int, int, int]]) -> pl.DataFrame:
    """(user, article, minute) with the publisher's columns."""
    frame = pl.DataFrame(rows, schema=["user_id", "click_article_id", "minute"], orient="row")
    others = ("environment", "deviceGroup", "os", "country", "region", "referrer_type")
    constants = [pl.lit(1).alias(f"click_{name}") for name in others]
    return frame.with_columns((pl.col("minute") * MINUTE).alias("click_timestamp"), *constants).drop("minute")


def test_a_click_is_followed_by_reading_on_or_by_a_return(tmp_path: Path) -> None:
    """User 1: 10 minutes, then 5 hours, then 2 days to the next click; user 2 has one click only; a twin row is one click."""
    rows = [(1, 7, 0), (1, 8, 10), (1, 9, 310), (1, 7, 310 + 2880), (2, 7, 5), (1, 7, 0)]
    prepare(clicks(rows), tmp_path)
    read = {name: pl.read_parquet(tmp_path / f"{name}.parquet") for name in ("clicks", "read_on", "return")}
    assert read["clicks"].height == 5
    assert read["clicks"]["time"].is_sorted()
    assert read["read_on"].rows() == [(1, 7, 10 * MINUTE)]
    assert read["return"].rows() == [(1, 8, 310 * MINUTE)]


def test_the_recipe_reads_these_columns(tmp_path: Path) -> None:
    recipe = load_recipe(RECIPE)
    prepare(clicks([(1, 7, 0), (1, 8, 1)]), tmp_path)
    columns = set(pl.read_parquet(tmp_path / "clicks.parquet").columns)
    assert {recipe.retrieval.user, recipe.retrieval.item, *recipe.features} <= columns


def test_missing_columns_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="missing: click_os"):
        prepare(clicks([(1, 7, 0)]).drop("click_os"), tmp_path)
