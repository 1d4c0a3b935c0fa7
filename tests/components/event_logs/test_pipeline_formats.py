"""The whole stage: JSON lines and Parquet columns of every kind."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.event_logs.plan import EventLogsPlan
from models.recipe.errors import InputError
from models.recipe.recipe import Recipe

DAY = 86_400
START = 1_700_000_000
Make = Callable[..., Recipe]
Write = Callable[..., Path]
Run = Callable[..., SimpleNamespace]


def refused(run: Run, recipe: Recipe) -> str:
    with pytest.raises(InputError) as error:
        run(recipe)
    return str(error.value)


def test_a_file_of_json_lines_may_lack_what_none_of_its_rows_has(
    shop_recipe: Make, write_log: Write, run_stage: Run
) -> None:
    seen = [{"what": "see", "user": n, "item": 1, "time": START + n * DAY} for n in range(6)]
    seen[0]["coupon"] = "x"
    done = [{"what": "buy", "user": n, "item": 1, "time": START + n * DAY + 5, "paid": 2.5} for n in range(0, 6, 2)]
    streams = {"impression": {"path": "log*", "where": {"what": ["see"]}}}
    streams["click"] = {"path": "log*", "where": {"what": ["buy"]}, "value": "paid"}
    tasks = {"paid": {"kind": "regression", "outcome": "click", "window": "1d", "unmeasured": "allow"}}
    recipe = shop_recipe(streams=streams, tasks=tasks, features={"coupon": {"kind": "categorical"}})
    lines = [json.dumps(row) for row in seen + done]
    whole = write_log("log.jsonl", "\n".join(lines))
    together = run_stage(recipe, "together")
    whole.unlink()
    write_log("log.one.jsonl", "\n".join(lines[:3]))
    write_log("log.two.jsonl", "\n".join(lines[3:]))
    apart = run_stage(recipe, "apart")
    assert apart.accounts == together.accounts and apart.examples.equals(together.examples)
    assert refused(run_stage, shop_recipe(streams=streams, tasks=tasks, features={"cupon": {"kind": "numeric"}})) == (
        "stream 'impression': no row of log* has the column 'cupon' (read by a feature or a slice). did you mean "
        "'coupon'? Known: coupon, item, paid, time, user, what."
    )


def test_lists_and_texts_of_many_values_are_one_stream(shop_recipe: Make, write_log: Write, run_stage: Run) -> None:
    values = [["x", "y"], ["x"], [], ["ü", "x|y"]]
    seen = [{"user": n, "item": 2, "time": START + n * DAY, "tags": tags} for n, tags in enumerate(values)]
    write_log("impression.jsonl", "\n".join(json.dumps(row) for row in seen))
    texts = ["x|y", "x", None, "|z|"]
    write_log("impression.csv", [row | {"tags": text} for row, text in zip(seen, texts, strict=True)])
    write_log("click.csv", [{"user": 0, "item": 2, "time": START + 5}])
    features = {"tags": {"kind": "multivalued", "separator": "|"}}
    recipe = shop_recipe(features=features, logs={"as_of": "2023-11-18T00:00:00Z"})
    plan = EventLogsPlan.from_recipe(recipe).model_copy(update={"partitions": 1})
    tags = sorted(tuple(item.decode() for item in row) for row in run_stage(plan).examples["tags"].to_list())
    # Equal rows in both files are one event: a missing text and an empty list; "x" and ["x"].
    assert tags == [(), ("x",), ("x", "y"), ("x", "y"), ("z",), ("ü", "x|y")]


def test_parquet_columns_of_every_kind(shop_recipe: Make, shop_log: Callable, run_stage: Run, tmp_path: Path) -> None:
    shop_log()
    table = pq.read_table(tmp_path / "impression.parquet")
    offset = pa.timestamp("us", tz="+05:30")
    times = pa.array([(START + n * DAY) * 1_000_000 for n in range(10)])
    more = {
        "vector": pa.array([[n, n + 1] for n in range(10)], pa.list_(pa.int64(), 2)),
        "pairs": pa.array([[("a", n)] for n in range(10)], pa.map_(pa.string(), pa.int64())),
        "bytes": pa.array([[b"a", b"\xff"]] * 10, pa.list_(pa.binary())),
        "inner": pa.array([{"b": b"\xff", "n": n} for n in range(10)]),
        "spent": pa.array(range(10), pa.duration("ms")),
        "wide": pa.array([Decimal("1.50")] * 10, pa.decimal256(50, 2)),
        "at": times.cast(offset),
    }
    for name, values in more.items():
        table = table.append_column(name, values)
    table = table.set_column(table.column_names.index("user"), "user", pa.array([*range(9), None]))
    pq.write_table(table, tmp_path / "impression.parquet")
    features = {"vector": {"kind": "multivalued", "type": "integer"}, "bytes": {"kind": "multivalued"}}
    time = {"time": {"column": "at", "unit": "text"}}
    recipe = shop_recipe(streams={"impression": time}, features=features, logs={"limits": {"dead_letters": 0.2}})
    out = run_stage(recipe)
    assert out.accounts["impression"]["used"] == 9 and out.accounts["click"]["used"] == 5
    by_time = out.examples.sort(pl.col("gatewise/event_time").list.first())
    assert by_time["vector"].to_list() == [[n, n + 1] for n in range(9)]
    assert by_time["bytes"].to_list() == [[b"a", b"ff"]] * 9
    assert by_time["gatewise/event_time"].list.first().to_list() == times.to_pylist()[:9]
    assert '"vector":[9,10]' in out.dead["raw"][0]
