"""The peers of the Census-Income benchmark train and predict on exactly the product's examples."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
import yaml

from benchmarks.census_rows import plain_rows, write_rows
from benchmarks.stages import ours
from components.example_schema import EXAMPLE_ID, SPLITS

TRAIN = pl.DataFrame(
    {
        "number": pl.Series(range(60), dtype=pl.Int32),
        "code": pl.Series([row % 7 for row in range(60)], dtype=pl.Int32),
        "text": [("a", "?", "b c")[row % 3] for row in range(60)],
        "answer": [("yes", "no")[row % 2] for row in range(60)],
    }
)
TEST = TRAIN.with_columns(pl.col("number") + 100)
RECIPE = {
    "name": "few",
    "data": ".",
    "examples": {"path": "train.parquet", "eval_path": "test.parquet"},
    "split": {"validate_fraction": 0.25},
    "features": {
        "number": {"kind": "numeric"},
        "level": {"kind": "bucketised", "column": "number", "boundaries": [10, 20]},
        "code": {"kind": "categorical", "type": "integer"},
        "text": {"kind": "categorical"},
    },
    "tasks": {"yes": {"kind": "binary", "label": {"column": "answer", "positive": ["yes"]}}},
}
COLUMNS = ["number", "code", "text", "label/yes"]


def test_the_rows_are_the_examples_of_each_split(tmp_path: Path) -> None:
    TRAIN.write_parquet(tmp_path / "train.parquet")
    TEST.write_parquet(tmp_path / "test.parquet")
    (tmp_path / "few.yaml").write_text(yaml.safe_dump(RECIPE), encoding="utf-8")
    out = tmp_path / "out"
    ours.run({"stages": ["event_logs"], "recipe": str(tmp_path / "few.yaml"), "data": str(tmp_path), "out": str(out)})
    write_rows(out / "examples", out / "rows", ["yes"])

    found = {split: pl.read_parquet(out / "rows" / f"{split}.parquet") for split in SPLITS}
    for split, rows in found.items():
        assert rows.columns == sorted([*COLUMNS, EXAMPLE_ID])
        ids = pl.scan_parquet(out / "examples" / f"Split-{split}" / "*.parquet").select(EXAMPLE_ID).collect()
        assert rows[EXAMPLE_ID].to_list() == sorted(ids[EXAMPLE_ID].list.first())
    assert found["validate"].height > 0
    _same(found["eval"], TEST)
    _same(pl.concat([found["train"], found["validate"]]), TRAIN)


def _same(rows: pl.DataFrame, source: pl.DataFrame) -> None:
    expected = [(number, code, text, float(answer == "yes")) for number, code, text, answer in source.rows()]
    assert sorted(rows.select(COLUMNS).rows()) == expected


def test_a_weight_is_refused() -> None:
    examples = pl.LazyFrame({"label/a": [[1.0], [0.0]], "weight/a": [[1.0], [0.0]], EXAMPLE_ID: [[2], [1]]})
    with pytest.raises(RuntimeError, match="examples of weight 1"):
        plain_rows(examples, ["a"])


def test_the_rows_do_not_depend_on_the_types_of_the_features() -> None:
    numbers = pl.LazyFrame({"weight/a": [[1.0]], EXAMPLE_ID: [[2**60 + 1]], "b": [[7.0]], "a": [[b"x"]]})
    numbers = numbers.with_columns(pl.col("b").cast(pl.List(pl.Float32)))
    integers = numbers.with_columns(pl.col("b").cast(pl.List(pl.Int64))).select("a", "b", EXAMPLE_ID, "weight/a")
    found = plain_rows(numbers, ["a"])
    assert found.equals(plain_rows(integers, ["a"]))
    assert found.rows() == [("x", 7.0, 2**60 + 1)]
