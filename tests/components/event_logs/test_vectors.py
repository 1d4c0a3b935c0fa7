"""Columns of vectors: of every format, and those that are no vectors."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.event_logs.casting import cast_column
from components.event_logs.column_plan import ColumnPlan
from components.event_logs.plan import EventLogsPlan
from models.recipe.errors import InputError
from models.recipe.recipe import Recipe

DAY = 86_400
LATER = {"as_of": "2023-12-31T00:00:00Z"}
START = 1_700_000_000
FEATURES = {"text": {"kind": "vector", "dim": 3}}
VECTORS: list[list[float] | None] = [[0.1, -2.0, 1e30], None, [1.0, 2.0, 3.0], [0.0, 0.5, -0.25]] * 3
READ = sorted((tuple(np.float32(vector).tolist()) if vector else ()) for vector in VECTORS)


def rows_with(texts: list[Any]) -> list[dict[str, Any]]:
    return [{"user": n, "item": 1, "time": START + n * DAY, "text": text} for n, text in enumerate(texts)]


def read(out: SimpleNamespace, name: str = "text") -> list[tuple[float, ...]]:
    assert out.examples.schema[name] == pl.List(pl.Float32)
    return sorted(map(tuple, out.examples[name].to_list()))


def test_lists_of_parquet(shop_recipe: Callable, write_log: Callable, run_stage: Callable, tmp_path: Path) -> None:
    kinds = {
        "double": pa.list_(pa.float64()),
        "large": pa.large_list(pa.float32()),
        "fixed": pa.list_(pa.float32(), 3),
        "fixed_double": pa.list_(pa.float64(), 3),
    }
    write_log("click.parquet", [{"user": 0, "item": 1, "time": START + 5}])
    rows = rows_with(VECTORS)
    table = pa.table({name: [row[name] for row in rows] for name in ("user", "item", "time")})
    for name, kind in kinds.items():
        # Arrow writes no missing lists of a fixed size.
        vectors = [vector or [7.0, 7.0, 7.0] for vector in VECTORS] if "fixed" in name else VECTORS
        table = table.append_column(name, pa.array(vectors, kind))
    pq.write_table(table, tmp_path / "impression.parquet")
    out = run_stage(shop_recipe(features={name: FEATURES["text"] for name in kinds}, logs=LATER))
    assert read(out, "double") == read(out, "large") == READ
    assert read(out, "fixed") == read(out, "fixed_double") == sorted(vector or (7.0, 7.0, 7.0) for vector in READ)


def test_texts_of_csv_and_lists_of_json_are_the_same(
    shop_recipe: Callable, write_log: Callable, run_stage: Callable
) -> None:
    write_log("click.parquet", [{"user": 0, "item": 1, "time": START + 5}])
    recipe = shop_recipe(features=FEATURES, logs=LATER)
    write_log("impression.jsonl", rows_with([*VECTORS, []]))
    lists = run_stage(recipe, "lists")
    texts = [*["[0.1, -2, 1e30]", "", "1.0,2,3", "0,0.5,-.25"] * 3, "[]"]
    write_log("impression.jsonl", "").unlink()
    write_log("impression.csv", rows_with(texts))
    assert read(run_stage(recipe, "texts")) == read(lists) == sorted([*READ, ()])


def test_what_is_no_vector_is_a_dead_letter(shop_recipe: Callable, write_log: Callable, run_stage: Callable) -> None:
    write_log("click.parquet", [{"user": 0, "item": 1, "time": START + 5}])
    wrong = [
        [1.0, 2.0],
        [1.0, 2.0, 3.0, 4.0],
        [1.0, math.nan, 3.0],
        [1.0, None, 3.0],
        [math.inf, 0.0, 0.0],
        [1e39, 0.0, 0.0],
    ]
    rows = rows_with([*VECTORS, *wrong])
    write_log("impression.parquet", pl.DataFrame(rows, schema_overrides={"text": pl.List(pl.Float64)}))
    out = run_stage(shop_recipe(features=FEATURES, logs={"limits": {"dead_letters": 0.9}, **LATER}))
    assert out.dead["row"].to_list() == [12, 13, 14, 15, 16, 17]
    assert set(out.dead["reason"]) == {"feature column 'text': not a list of 3 finite numbers"}
    assert read(out) == READ


@pytest.mark.parametrize(
    ("values", "expected", "wrong"),
    [
        (
            pl.Series(["1|2", "1|x", "1|", "  [3|4] ", None, ""], dtype=pl.String),
            [[1, 2], None, None, [3, 4], None, None],
            [1, 2],
        ),
        (pl.Series([["1", "2"], ["1", "nan"], []], dtype=pl.List(pl.String)), [[1, 2], None, None], [1]),
        (pl.Series([[1, 2], [3], None], dtype=pl.List(pl.Int64)), [[1, 2], None, None], [1]),
        (pl.Series([None, None], dtype=pl.Null), [None, None], []),
    ],
)
def test_casts(values: pl.Series, expected: list[Any], wrong: list[int]) -> None:
    column = ColumnPlan(name="x", type="float", multivalued=True, separator="|", length=2)
    frame = values.alias("x").to_frame()
    value, missing, bad = cast_column(frame, column, "file")
    assert bad is not None
    found = frame.select(value.alias("value"), missing.alias("missing"), bad.alias("bad"))
    assert found.schema["value"] == pl.List(pl.Float32)
    assert found["value"].to_list() == expected
    assert found["bad"].arg_true().to_list() == wrong
    assert found["missing"].arg_true().to_list() == [
        row for row, one in enumerate(expected) if one is None and row not in wrong
    ]


def test_another_type_is_refused(shop_recipe: Callable, write_log: Callable, run_stage: Callable) -> None:
    write_log("click.parquet", [{"user": 0, "item": 1, "time": START + 5}])
    write_log("impression.parquet", rows_with([1.5, 2.5, 3.5, 4.5]))
    with pytest.raises(
        InputError, match=r"'text' has type Float64; expected lists of 3 numbers for its `kind: vector`"
    ):
        run_stage(shop_recipe(features=FEATURES))


def test_the_plan_of_the_column(shop_recipe: Callable[..., Recipe]) -> None:
    plan = EventLogsPlan.from_recipe(shop_recipe(features={"text": {"kind": "vector", "dim": 3, "separator": " "}}))
    assert plan.columns == (ColumnPlan(name="text", type="float", multivalued=True, separator=" ", length=3),)
