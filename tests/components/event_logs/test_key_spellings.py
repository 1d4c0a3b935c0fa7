"""Numbers in keys that one side writes in another way than the other."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from models.recipe.errors import InputError
from models.recipe.recipe import Recipe

DAY = 86_400
START = 1_700_000_000
USERS = range(3, 13)
Make = Callable[..., Recipe]
Write = Callable[..., Path]
Run = Callable[..., SimpleNamespace]


# When every window has closed.
LATER = {"as_of": "2023-12-31T00:00:00Z"}
# Leaves both classes in the train split.
MORE = {"eval_fraction": 0.3}


def frame(users: list[Any], delay: int = 0, dtype: Any = None) -> pl.DataFrame:
    times = [START + n * DAY + delay for n in range(len(users))]
    return pl.DataFrame({"user": pl.Series(users, dtype=dtype), "item": 1, "time": times})


@pytest.mark.parametrize(
    ("impressions", "clicks"),
    [
        ("decimal.parquet", "int.csv"),
        ("float.parquet", "zeros.csv"),
        ("int.csv", "float.csv"),
        ("text.parquet", "float.jsonl"),
        ("int.parquet", "text.jsonl"),
        ("zeros.csv", "decimal.parquet"),
    ],
)
def test_a_number_is_one_key_in_every_spelling(
    shop_recipe: Make, write_log: Write, run_stage: Run, impressions: str, clicks: str
) -> None:
    def written(name: str, prefix: str, delay: int, step: int) -> None:
        spelling, ending = name.split(".")
        users = list(USERS)
        values: list[Any] = {
            "int": users,
            "float": [float(user) for user in users],
            "decimal": [Decimal(user) for user in users],
            "text": [str(user) for user in users],
            "zeros": [f"{user}.0000000000" for user in users],
        }[spelling]
        done = frame(values, delay, pl.Decimal(38, 10) if spelling == "decimal" else None)
        write_log(f"{prefix}.{ending}", done.gather_every(step))

    written(impressions, "impression", 0, 1)
    written(clicks, "click", 5, 2)
    out = run_stage(shop_recipe())
    assert out.accounts["click"]["used"] == 5 and out.accounts["click"]["orphan"] == 0
    assert sorted(out.examples["user"].explode().to_list()) == sorted(str(user).encode() for user in USERS)


@pytest.mark.parametrize("written", ["0{}", "00{}", "+{}", " {}", "{} "])
def test_another_spelling_on_one_side_stops_with_both(
    shop_recipe: Make, write_log: Write, run_stage: Run, written: str
) -> None:
    other = [written.format(user) for user in USERS]
    write_log("impression.parquet", frame(list(USERS)))
    # Half of the clicks: fewer orphans than `limits.orphans` allows.
    write_log("click.csv", pl.concat([frame(list(map(str, USERS)), 5)[:6], frame(other, 5)[6:9]]))
    with pytest.raises(InputError) as error:
        run_stage(shop_recipe())
    message = str(error.value)
    assert message.startswith(
        "stream 'click', key column 'user': 3 of 9 rows contain a number with leading zeros, a sign "
    )
    assert f"such as {other[6]!r} (" in message and "click.csv, row 6). No row of stream 'impression' does" in message
    assert "column 'user' contains for example '3' (" in message and "impression.parquet, row 0)" in message
    assert (
        "3 outcomes of stream 'click' have no impression with their key. Spell the key the same way in both streams."
        in message
    )


def test_zeros_before_the_numbers_of_both_sides_are_texts(shop_recipe: Make, write_log: Write, run_stage: Run) -> None:
    users = ["007", "7", "07", "0012", "12", "8", "9", "10", "011", "11"]
    write_log("impression.csv", frame(users))
    write_log("click.csv", frame(["x0", "7", "07", "0012", "12"], 5))
    out = run_stage(shop_recipe(logs=LATER))
    assert out.accounts["click"]["used"] == 4 and out.accounts["click"]["orphan"] == 1
    assert out.examples.filter(pl.col("label/click").list.first() > 0)["user"].explode().sort().to_list() == [
        *[b"0012", b"07", b"12", b"7"]
    ]


def test_impressions_alone_may_have_them_if_no_outcome_is_lost(
    shop_recipe: Make, write_log: Write, run_stage: Run
) -> None:
    write_log("impression.csv", frame([*map(str, USERS), "007"]))
    write_log("click.csv", frame(list(map(str, USERS)), 5)[:4])
    assert run_stage(shop_recipe(logs=LATER, split=MORE)).accounts["click"]["used"] == 4


def test_floats_that_may_be_several_ids_are_dead_letters(shop_recipe: Make, write_log: Write, run_stage: Run) -> None:
    write_log("impression.parquet", frame([*map(float, USERS), 2.0**53]))
    write_log("click.csv", frame(list(USERS), 5)[:4])
    out = run_stage(shop_recipe(logs={**LATER, "limits": {"dead_letters": 0.1}}, split=MORE))
    assert out.dead["reason"].to_list() == [
        "key column 'user': a float so large that it may represent several integers"
    ]
