"""The whole stage: logs that are refused, and what each message says."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

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


def test_a_missing_column(shop_recipe: Make, shop_log: Callable, write_log: Write, run_stage: Run) -> None:
    for ending in ("csv", "parquet", "jsonl"):
        shop_log("csv")
        wrong = write_log(f"click.two.{ending}", [{"user_id": 1, "item": 1, "time": START}])
        message = refused(run_stage, shop_recipe())
        assert message == (
            f"click.two.{ending}: no column 'user' (key of stream 'click'). did you mean 'user_id'? "
            "Known: item, time, user_id."
        )
        wrong.unlink()


def test_no_file_and_no_rows(
    shop_recipe: Make, shop_log: Callable, write_log: Write, run_stage: Run, tmp_path: Path
) -> None:
    shop_log("csv")
    (tmp_path / "click.csv").rename(tmp_path / "clack.csv")
    message = refused(run_stage, shop_recipe())
    assert message.startswith(f"stream 'click': no file matches {tmp_path}/click.*.") and "clack.csv" in message
    write_log("click.csv", "user,item,time\n")
    assert refused(run_stage, shop_recipe()) == "stream 'click': the files that match click.* have no rows."
    (tmp_path / "clack.csv").rename(tmp_path / "click.one.csv")
    assert run_stage(shop_recipe()).accounts["click"]["read"] == 5


def test_a_where_that_nothing_meets(shop_recipe: Make, shop_log: Callable, run_stage: Run) -> None:
    shop_log("csv")
    message = refused(run_stage, shop_recipe(streams={"click": {"where": {"item": ["CLICK"]}}}))
    assert message == "stream 'click': none of 5 rows meets its `where`: column 'item' contains 1; expected CLICK."


@pytest.mark.parametrize("ending", ["parquet", "csv.gz"])
def test_a_corrupt_file(
    shop_recipe: Make, shop_log: Callable, write_log: Write, run_stage: Run, tmp_path: Path, ending: str
) -> None:
    shop_log("csv")
    path = write_log(f"click.bad.{ending}", "this is not it")
    if ending == "csv.gz":  # by its first bytes it is
        path.write_bytes(b"\x1f\x8bthis is not it")
    assert re.match(rf"cannot read {path} as (parquet|csv): ", refused(run_stage, shop_recipe()))
    assert "while running" not in refused(run_stage, shop_recipe())


def test_texts_without_a_zone(shop_recipe: Make, write_log: Write, run_stage: Run) -> None:
    for name, seconds in (("impression", 0), ("click", 5)):
        moments = [datetime.datetime(2024, 1, n, 0, 0, seconds).isoformat() for n in range(1, 11)]
        write_log(
            f"{name}.csv", [{"user": n, "item": 1, "time": t} for n, t in enumerate(moments) if n % 2 or not seconds]
        )
    time = {"column": "time", "unit": "text"}
    message = refused(run_stage, shop_recipe(streams={n: {"time": time} for n in ("impression", "click")}))
    assert message == (
        "stream 'impression', time column 'time' (first in impression.csv, row 0): 10 of 10 times have no offset "
        "from UTC. A wrong zone would shift every window. State the zone of the times under `time`, such as "
        "`zone: Europe/Vienna` or `zone: UTC`."
    )
    zoned = shop_recipe(streams={n: {"time": time | {"zone": "Asia/Tokyo"}} for n in ("impression", "click")})
    assert run_stage(zoned).summary["as_of"] == "2024-01-09T15:00:00Z"


def test_a_wrong_unit(shop_recipe: Make, shop_log: Callable, run_stage: Run) -> None:
    shop_log("csv")
    message = refused(run_stage, shop_recipe(streams={"click": {"time": {"column": "time", "unit": "ms"}}}))
    assert message == (
        "stream 'click', time column 'time' (first in click.csv, row 0): 5 of 5 times are outside 1990-2100 when "
        "read in 'ms'. The unit is likely 's': set `unit: s`."
    )


def test_too_many_dead_letters(shop_recipe: Make, shop_log: Callable, write_log: Write, run_stage: Run) -> None:
    shop_log("csv")
    write_log("click.two.csv", "user,item,time\n1,1,\n,1,5\n2,1\n3,1,\n")
    assert refused(run_stage, shop_recipe(logs={"limits": {"dead_letters": 0.25}})) == (
        "stream 'click': 4 of 9 rows (44.4%) are malformed; the limit is 25.0% (`limits.dead_letters`). "
        "Most frequent reasons: "
        '2 x no time in column \'time\' (first in click.two.csv, row 0: {"user":"1","item":"1","time":null}); '
        '1 x 2 fields in a CSV line, the header has 3 (first in click.two.csv, row 2: {"line": "2,1"}); '
        '1 x no value in key column \'user\' (first in click.two.csv, row 1: {"user":null,"item":"1","time":"5"}). '
        "Fix the rows, or change how the recipe declares these columns."
    )


@pytest.mark.parametrize(
    ("shift", "user", "hint"),
    [
        (
            -7200,
            0,
            "5 of them come up to 14 h before an impression of the same key. Are the clocks of the two streams in",
        ),
        (
            0,
            100,
            r"For 5 of them, no later impression has the key either. Does `key` \(user, item\) have the same meaning",
        ),
        (-40 * DAY, 0, "Their keys have only later impressions. Do the impression logs begin too late"),
    ],
)
def test_too_many_orphans(
    shop_recipe: Make, shop_log: Callable, write_log: Write, run_stage: Run, shift: int, user: int, hint: str
) -> None:
    shop_log("csv")
    rows = [{"user": user + n, "item": 1, "time": START + n * DAY + shift} for n in range(0, 10, 2)]
    write_log("click.csv", rows)
    message = refused(run_stage, shop_recipe())
    assert message.startswith(
        "stream 'click': 5 of 5 outcomes (100.0%) have no earlier impression in 'impression'; the limit is 50.0%"
    )
    assert re.search(hint, message)


def test_a_split_without_examples(shop_recipe: Make, shop_log: Callable, run_stage: Run) -> None:
    shop_log("csv")
    late = shop_recipe(split={"eval_from": "2030-01-01T00:00:00Z"})
    assert refused(run_stage, late).startswith(
        "the eval split has no examples (train: 9, validate: 1, eval: 0). Change `split`"
    )
    assert "the train split has no examples" in refused(run_stage, shop_recipe(split={"eval_last": "90d"}))


def test_validate_after_the_start_of_eval(shop_recipe: Make, shop_log: Callable, run_stage: Run) -> None:
    shop_log("csv")
    split = {"eval_fraction": 0.5, "validate_from": "2023-11-20T00:00:00Z"}
    assert refused(run_stage, shop_recipe(split=split)) == (
        "split.validate_from: expected a moment before the start of the eval split, 2023-11-19T22:13:20Z; received "
        "2023-11-20T00:00:00Z, so the validate split has no examples. Begin the validate split earlier, or the eval split "
        "later."
    )
    everything = shop_recipe(split={"eval_fraction": 0.5, "validate_last": "2d", "gap": "47h"})
    assert run_stage(everything).summary["examples"] == {"train": 2, "validate": 1, "eval": 5}
    message = refused(run_stage, shop_recipe(split={"eval_fraction": 0.5, "validate_fraction": 0.2, "gap": "2d"}))
    assert message.startswith(
        "the validate split has no examples (train: 2, validate: 0, eval: 5, gap: 3). Make `split.gap`"
    )


def test_the_gap_is_in_the_accounts(shop_recipe: Make, shop_log: Callable, run_stage: Run) -> None:
    """One impression a day. The 4th and the 7th are a gap of one day before the 5th and the 8th: outcomes of exactly a
    day later would be of the next split.
    """
    shop_log("csv")
    split = {"eval_from": "2023-11-22T22:13:20Z", "validate_from": "2023-11-19T22:13:20Z", "gap": "1d"}
    for partitions in (1, 5):
        plan = EventLogsPlan.from_recipe(shop_recipe(split=split)).model_copy(update={"partitions": partitions})
        out = run_stage(plan, f"of {partitions}")
        users = {name: sorted(int(user) for [user] in rows["user"]) for name, rows in out.splits.items()}
        assert users == {"train": [0, 1, 2, 3], "validate": [5, 6], "eval": [8, 9]}
        account = out.accounts["impression"]
        assert (account["read"], account["used"], account["gap"]) == (10, 8, 2)


def test_one_class_only(shop_recipe: Make, shop_log: Callable, write_log: Write, run_stage: Run) -> None:
    shop_log("csv")
    short = shop_recipe(tasks={"click": {"kind": "binary", "outcome": "click", "window": "5s"}})
    assert refused(run_stage, short) == (
        "task 'click' (stream 'click'): none of 4 observed train examples (of 4) is positive. Training needs both "
        "classes. Check `outcome`, `key` and `window`."
    )
    long = shop_recipe(tasks={"click": {"kind": "binary", "outcome": "click", "window": "90d"}})
    assert "none of 4 train examples is observed" in refused(run_stage, long)
    write_log("click.two.csv", [{"user": n, "item": 1, "time": START + n * DAY + 10} for n in range(1, 10, 2)])
    assert "is negative. Training needs both classes" in refused(run_stage, shop_recipe())


def test_types_that_cannot_be(shop_recipe: Make, shop_log: Callable, write_log: Write, run_stage: Run) -> None:
    shop_log("parquet")
    rows = [
        {"user": n, "item": 1, "time": START + n * DAY, "tags": ["a"], "when": datetime.date(2024, 1, 1)}
        for n in range(3)
    ]
    write_log("impression.parquet", rows)
    lists = shop_recipe(features={"tags": {"kind": "categorical"}})
    assert refused(run_stage, lists) == (
        "impression.parquet: column 'tags' has type List(String); expected text. Lists need `kind: multivalued`."
    )
    assert "column 'when' has type Date; expected numbers" in refused(
        run_stage, shop_recipe(features={"when": {"kind": "numeric"}})
    )


def test_one_file_in_two_formats(shop_recipe: Make, shop_log: Callable, run_stage: Run) -> None:
    shop_log("csv")
    recipe = shop_recipe(streams={"click": {"path": "*.csv", "format": "jsonl"}})
    assert "is csv in another stream, but jsonl here" in refused(run_stage, recipe)


def test_rows_that_would_be_of_two_streams(shop_recipe: Make, shop_log: Callable, run_stage: Run) -> None:
    shop_log("csv")
    message = refused(run_stage, shop_recipe(streams={"click": {"path": "*.csv"}}))
    assert message.startswith("stream 'click': its `path` and that of 'impression' both match ")
    assert message.endswith(
        "impression.csv, so its rows would count twice. Use distinct paths, or separate the rows with `where`."
    )
