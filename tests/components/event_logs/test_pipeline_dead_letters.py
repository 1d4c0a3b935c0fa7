"""The whole stage: which rows are malformed, and what becomes of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from models.recipe.recipe import Recipe

DAY = 86_400
START = 1_700_000_000
Make = Callable[..., Recipe]
Write = Callable[..., Path]
Run = Callable[..., SimpleNamespace]

FEATURES = {
    "user": {"kind": "categorical"},
    "price": {"kind": "numeric"},
    "age": {"kind": "bucketised", "buckets": 3},
    "item": {"kind": "categorical", "type": "integer"},
    "tags": {"kind": "multivalued", "separator": "|"},
}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"user": None}, "no value in key column 'user'"),
        ({"user": ""}, "no value in key column 'user'"),
        ({"time": None}, "no time in column 'time'"),
        ({"time": "noon"}, "time is not a number in column 'time'"),
        ({"time": 0}, "time before 1990"),
        ({"time": 4_000_000_000}, "time in the future"),
        ({"price": "cheap"}, "feature column 'price': not a finite number"),
        ({"price": "inf"}, "feature column 'price': not a finite number"),
        ({"age": "old"}, "feature column 'age': not a finite number"),
        ({"item": 1.5}, "feature column 'item': not an integer"),
    ],
)
def test_a_malformed_row(
    shop_recipe: Make, write_log: Write, run_stage: Run, change: dict[str, Any], reason: str
) -> None:
    row = {"user": "u0", "item": 0, "time": START, "price": 1.5, "age": 30, "tags": "a|b"} | change
    rest = {"user": "u1", "item": 1, "time": START + 9 * DAY, "price": 2, "age": 30, "tags": "a"}
    out = _run_with(shop_recipe, write_log, run_stage, [rest, row])
    assert out.accounts["impression"]["dead_lettered"] == 1
    letter = out.dead.row(0, named=True)
    assert (letter["stream"], letter["file"], letter["row"], letter["reason"]) == (
        "impression",
        "impression.jsonl",
        1,
        reason,
    )
    assert json.loads(letter["raw"])["tags"] == "a|b"


def test_missing_feature_values_are_not_malformed(shop_recipe: Make, write_log: Write, run_stage: Run) -> None:
    row = {"user": "u0", "item": 0, "time": START, "price": "", "age": None, "tags": None}
    out = _run_with(shop_recipe, write_log, run_stage, [row, row | {"price": 3.5, "user": "u5"}])
    assert out.accounts["impression"]["dead_lettered"] == 0


def _run_with(make: Make, write: Write, run: Run, rows: list[dict[str, Any]]) -> SimpleNamespace:
    seen = [
        {"user": f"u{n}", "item": 7, "time": START + n * DAY, "price": 1.5, "age": 30, "tags": "a|b"} for n in range(20)
    ]
    write("impression.jsonl", "\n".join(json.dumps(row) for row in rows + seen))
    clicks = [{"user": f"u{n}", "item": 7, "time": START + n * DAY + 5} for n in range(0, 20, 2)]
    write("click.jsonl", "\n".join(json.dumps(row) for row in clicks))
    return run(make(features=FEATURES))


def test_a_value_is_needed_where_a_regression_learns_it(
    shop_recipe: Make, shop_log: Callable, write_log: Write, run_stage: Run
) -> None:
    shop_log("csv")
    buys = [
        {"user": n, "item": 1, "time": START + n * DAY + 20, "value": v} for n, v in enumerate(["1.5", "", "much", "2"])
    ]
    write_log("buy.csv", buys)
    tasks = {
        "click": {"kind": "binary", "outcome": "click", "window": "1d", "unmeasured": "allow"},
        "spend": {"kind": "regression", "outcome": "buy", "window": "1d", "unmeasured": "allow"},
    }
    recipe = shop_recipe(streams={"buy": {"value": "value"}}, tasks=tasks, logs={"limits": {"dead_letters": 0.5}})
    out = run_stage(recipe)
    assert out.accounts["buy"] == dict(
        read=4, used=2, duplicate=0, orphan=0, late=0, after_as_of=0, gap=0, dead_lettered=2, other=0
    )
    assert sorted(out.dead["reason"]) == [
        "no value in value column 'value'",
        "value column 'value': not a finite number",
    ]


def test_latest_ignores_a_mad_future_time(
    shop_recipe: Make, shop_log: Callable, write_log: Write, run_stage: Run
) -> None:
    shop_log("csv")
    write_log("click.more.csv", [{"user": 1, "item": 1, "time": 3_900_000_000}])
    out = run_stage(shop_recipe(logs={"limits": {"dead_letters": 0.5}}))
    assert out.summary["as_of"] == "2023-11-22T22:13:30Z"
    assert out.dead["reason"].to_list() == ["time in the future"]
