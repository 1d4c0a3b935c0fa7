"""The whole stage on small logs: formats, bad rows, bad logs, and that files and partitions change nothing."""

from __future__ import annotations

import datetime
import json
import random
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.event_logs import pipeline
from components.event_logs.plan import EventLogsPlan
from components.example_schema import SPLITS
from models.recipe.errors import InputError
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


def refused(run: Run, recipe: Recipe) -> str:
    with pytest.raises(InputError) as error:
        run(recipe)
    return str(error.value)


# ---- what comes out ---------------------------------------------------------------------------------------------


def test_examples_by_hand(shop_recipe: Make, write_log: Write, run_stage: Run) -> None:
    seen = [
        {"id": "i1", "user": "a", "item": 1, "time": START, "price": 2.5, "age": 20, "tags": "x|y", "device": "phone"},
        {"id": "i2", "user": "a", "item": 1, "time": START + 100, "price": None, "age": None, "tags": "", "device": ""},
        {
            "id": "i3",
            "user": "b",
            "item": 1,
            "time": START + 2 * DAY,
            "price": 1.0,
            "age": 30,
            "tags": "x",
            "device": "pc",
        },
        {
            "id": "i4",
            "user": "b",
            "item": 2,
            "time": START + 9 * DAY,
            "price": 1.0,
            "age": 30,
            "tags": "z",
            "device": "pc",
        },
    ]
    seen.append(seen[0] | {"id": "i0", "user": "d", "time": START + 1000})
    clicks = [
        {"user": "a", "item": 1, "time": START + 200},
        {"user": "a", "item": 1, "time": START + 200},
        {"user": "b", "item": 1, "time": START + 3 * DAY + 1},
        {"user": "c", "item": 1, "time": START},
        {"user": "c", "item": 1, "time": START + 9 * DAY},
    ]
    write_log("impression.parquet", seen)
    write_log("click.parquet", clicks)
    recipe = shop_recipe(
        streams={"impression": {"event_id": "id"}},
        features=FEATURES,
        split={"eval_last": "8d"},
        evaluation={"slices": [["device"]]},
    )
    out = run_stage(recipe)
    assert out.accounts == {
        "impression": dict(
            read=5, used=5, duplicate=0, orphan=0, late=0, after_as_of=0, gap=0, dead_lettered=0, other=0
        ),
        "click": dict(read=5, used=1, duplicate=1, orphan=2, late=1, after_as_of=0, gap=0, dead_lettered=0, other=0),
    }
    rows = {row["gatewise/event_id"][0]: row for row in out.examples.to_dicts()}
    assert rows[b"i1"] | {"gatewise/example_id": 0} == {
        "user": [b"a"],
        "price": [2.5],
        "age": [20.0],
        "item": [1],
        "tags": [b"x", b"y"],
        "device": [b"phone"],
        "label/click": [0.0],
        "weight/click": [1.0],
        "gatewise/example_id": 0,
        "gatewise/event_time": [START * 1_000_000],
        "gatewise/event_id": [b"i1"],
    }
    assert [rows[b"i2"][name] for name in ("price", "age", "tags", "device")] == [[], [], [], []]
    labels = {name: (row["label/click"], row["weight/click"]) for name, row in rows.items()}
    assert labels == {b"i1": ([0], [1]), b"i2": ([1], [1]), b"i3": ([0], [1]), b"i4": ([0], [0]), b"i0": ([0], [1])}
    assert sorted(out.splits["eval"]["gatewise/event_id"].to_list()) == [[b"i3"], [b"i4"]]
    assert out.summary == {
        "as_of": "2023-11-23T22:13:20Z",
        "watermarks": {"impression": "2023-11-23T22:13:20Z", "click": "2023-11-23T22:13:20Z"},
        "validate_from": "2023-11-14T22:30:00Z",
        "eval_from": "2023-11-15T22:13:20Z",
        "examples": {"train": 2, "validate": 1, "eval": 2},
        "tasks": {
            "click": {
                "train": {"examples": 2, "observed": 2, "positives": 1},
                "validate": {"examples": 1, "observed": 1, "positives": 0},
                "eval": {"examples": 2, "observed": 1, "positives": 0},
            }
        },
        "warnings": [
            "task 'click': none of 1 observed validate examples is positive, so its validate loss says little about the best "
            "epoch. Make the validate split longer, such as with a larger `split.validate_fraction`."
        ],
    }
    assert json.loads((out.folder / "days.json").read_text()) == {
        "hours": 24,
        "rows": {
            "impression": {"2023-11-14": 3, "2023-11-16": 1, "2023-11-23": 1},
            "click": {"2023-11-14": 3, "2023-11-17": 1, "2023-11-23": 1},
        },
    }
    assert out.dead.height == 0 and out.dead.columns == ["stream", "file", "row", "reason", "raw"]
    for split in SPLITS:
        for path in (out.folder / f"Split-{split}").iterdir():
            assert re.fullmatch(r"examples-0000\d-of-00002\.parquet", path.name)
            ids = pl.read_parquet(path)["gatewise/example_id"].explode().to_list()
            assert ids == sorted(ids) and min(ids) >= 0


def test_weights_of_impressions(shop_recipe: Make, write_log: Write, run_stage: Run) -> None:
    """The weight is that of the row that is kept: of equal ids the earliest, of equal rows any."""
    times = [START + n * DAY for n in range(10)]
    seen = [{"id": f"i{n}", "user": n, "item": 1, "time": at, "w": n / 4} for n, at in enumerate(times)]
    seen += [seen[3], seen[4] | {"time": times[4] + 5, "w": 100.0}, seen[5] | {"id": "bad", "w": None}]
    write_log("impression.jsonl", seen)
    write_log("click.jsonl", [{"user": n, "item": 1, "time": times[n] + 10} for n in range(0, 10, 2)])
    streams = {"impression": {"event_id": "id", "weight": "w"}}
    recipe = shop_recipe(streams=streams, logs={"limits": {"dead_letters": 0.2}})
    out = run_stage(recipe)
    found = {
        row["gatewise/event_id"][0].decode(): (row["label/click"][0], row["weight/click"][0])
        for row in out.examples.to_dicts()
    }
    expected = {f"i{n}": (float(n % 2 == 0), n / 4) for n in range(8)}
    # An impression of weight 0 has no label, and the last windows are open.
    assert found == expected | {name: (0.0, 0.0) for name in ("i0", "i8", "i9")}
    assert out.accounts["impression"]["duplicate"] == 2 and sum(out.summary["zero_weight"].values()) == 1
    assert out.dead["reason"].to_list() == ["no value in weight column 'w'"]
    again = run_stage(recipe.model_copy(update={"beam": recipe.beam.model_copy(update={"partitions": 5})}), "again")
    assert again.examples.equals(out.examples)


def test_formats_give_the_same_examples(shop_recipe: Make, write_log: Write, run_stage: Run, tmp_path: Path) -> None:
    rng = random.Random(1)
    seen = [
        {
            "user": f"u{rng.randrange(5)}",
            "item": rng.randrange(3),
            "time": START + rng.randrange(9 * DAY),
            "price": rng.choice([None, 1.0, 2.25, 0.001, -3.5]),
            "age": rng.choice([None, 20, 30]),
            "tags": rng.choice([None, "x", "x|y", 'ü, "q"']),
        }
        for _ in range(200)
    ]
    clicks = [{"user": row["user"], "item": row["item"], "time": row["time"] + 9} for row in seen[::3]]
    recipe = shop_recipe(features=FEATURES)
    found = {}
    for ending in ("parquet", "csv", "jsonl"):
        for old in tmp_path.glob("*.*"):
            old.unlink()
        write_log(f"impression.{ending}", seen)
        write_log(f"click.{ending}", clicks)
        found[ending] = run_stage(recipe, ending)
    assert found["parquet"].examples.equals(found["csv"].examples)
    assert found["parquet"].examples.equals(found["jsonl"].examples)
    assert found["parquet"].accounts == found["csv"].accounts == found["jsonl"].accounts


@pytest.mark.parametrize("seed", [1, 2])
def test_files_order_and_partitions_change_nothing(
    shop_recipe: Make, write_log: Write, run_stage: Run, tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)
    logs = {
        name: [
            {
                "id": rng.choice([None, f"{rng.randrange(80)}"]),
                "user": rng.choice(["a", "b", None]),
                "item": rng.randrange(4),
                "time": START + rng.randrange(200) * 3600,
                "price": str(rng.choice([1, 2.5, 0.1, "x"])),
            }
            for _ in range(150)
        ]
        for name in ("impression", "click", "buy")
    }
    recipe = shop_recipe(
        streams={name: {"path": f"{name}*.*"} | ({"event_id": "id"} if name != "click" else {}) for name in logs}
        | {"buy": {"path": "buy*.*", "event_id": "id", "value": "price"}},
        logs={"limits": {"dead_letters": 1.0, "orphans": 1.0}},
        features={"price": {"kind": "numeric"}},
        tasks={
            "click": {"kind": "binary", "outcome": "click", "window": "1d"},
            "spend": {"kind": "regression", "outcome": "buy", "window": "2d", "conditioned_on": "click"},
        },
    )
    found = []
    for files, partitions in ((1, 1), (3, 3), (3, 17), (1, None)):
        for old in tmp_path.glob("*.*"):
            old.unlink()
        for name, rows in logs.items():
            mixed = rng.sample(rows, len(rows))
            for number in range(files):
                write_log(f"{name}{number}.{rng.choice(['csv', 'jsonl', 'parquet'])}", mixed[number::files])
        plan = EventLogsPlan.from_recipe(recipe).model_copy(update={"partitions": partitions})
        found.append(run_stage(plan, f"{files}-{partitions}"))
    assert found[0].accounts["impression"]["duplicate"] > 0 and found[0].accounts["buy"]["dead_lettered"] > 0
    for other in found[1:]:
        assert other.accounts == found[0].accounts
        assert other.summary == found[0].summary
        assert other.examples.equals(found[0].examples)
        assert other.splits["eval"].height == found[0].splits["eval"].height
        assert sorted(other.dead["reason"]) == sorted(found[0].dead["reason"])


def test_a_user_with_many_events_changes_nothing(shop_recipe: Make, write_log: Write, run_stage: Run) -> None:
    rng = random.Random(3)
    seen = [
        {"user": "bot" if n % 5 == 0 else f"u{rng.randrange(40)}", "item": n, "time": START + rng.randrange(9 * DAY)}
        for n in range(400)
    ]
    done = [{"user": row["user"], "item": 0, "time": row["time"] + rng.randrange(2 * DAY)} for row in seen[::2]]
    write_log("impression.parquet", seen)
    write_log("click.parquet", done)
    by_user = {name: {"key": ["user"]} for name in ("impression", "click")}
    features = {"item": {"kind": "categorical", "type": "integer"}}
    plan = EventLogsPlan.from_recipe(shop_recipe(streams=by_user, features=features))
    found = [run_stage(plan.model_copy(update={"partitions": count}), str(count)) for count in (1, 3, 17)]
    assert all(out.examples.equals(found[0].examples) and out.accounts == found[0].accounts for out in found)
    credited = set()
    for click in done:
        before = [row for row in seen if row["user"] == click["user"] and row["time"] <= click["time"]]
        last = max(before, key=lambda row: row["time"])
        if click["time"] - last["time"] <= DAY:
            credited.add(last["item"])
    as_of = min(max(row["time"] for row in rows) for rows in (seen, done))
    closed = {row["item"] for row in seen if row["time"] + DAY <= as_of}
    rows = {row["item"][0]: (row["label/click"][0], row["weight/click"][0]) for row in found[0].examples.to_dicts()}
    assert rows == {row["item"]: (row["item"] in credited & closed, row["item"] in closed) for row in seen}
    sizes = [pl.read_parquet(path).height for path in (found[1].folder / "Split-train").iterdir()]
    assert max(sizes) < 2 * min(sizes)  # the many events of one user do not lie in one file


def test_the_shuffle_leaves_nothing(shop_recipe: Make, shop_log: Callable, run_stage: Run) -> None:
    shop_log()
    names = sorted(path.name for path in run_stage(shop_recipe()).folder.iterdir())
    written = ["accounts.json", "days.json", "dead_letters", "files.json", "summary.json"]
    assert names == ["Split-eval", "Split-train", "Split-validate", *written]


def test_a_repeated_attempt_is_harmless(
    shop_recipe: Make, shop_log: Callable, write_log: Write, run_stage: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop_log()
    write_log("impression.two.parquet", [{"user": 3, "item": 1, "time": START + 5 * DAY}])
    recipe = shop_recipe(streams={"impression": {"event_id": "user"}})
    once = run_stage(recipe, "once")
    assert once.accounts["impression"]["duplicate"] == 1
    for step in (pipeline.Read, pipeline.LostCopies, pipeline.Attribute, pipeline.WriteExamples):
        monkeypatch.setattr(step, "work", _twice(step.work))
    twice = run_stage(recipe, "twice")
    assert twice.accounts == once.accounts and twice.summary == once.summary
    assert twice.examples.equals(once.examples)


def _twice(work: Callable) -> Callable:
    def again(self: Any, *given: Any) -> Any:
        list(work(self, *given))  # an attempt whose output is lost
        return work(self, *given)

    return again


def test_streams_of_one_file_are_told_apart_by_where(shop_recipe: Make, write_log: Write, run_stage: Run) -> None:
    rows = [{"user": f"u{n}", "item": 1, "time": START + n * DAY, "what": 1.0} for n in range(6)]
    rows += [{"user": f"u{n}", "item": 1, "time": START + n * DAY + 5, "what": 2.0} for n in range(0, 6, 2)]
    write_log("all.jsonl", "\n".join([json.dumps(row) for row in rows] + ["{"]))
    streams = {name: {"path": "all.jsonl", "where": {"what": [n]}} for n, name in enumerate(("impression", "click"), 1)}
    out = run_stage(shop_recipe(streams=streams, logs={"limits": {"dead_letters": 0.2}}))
    assert out.accounts["impression"] == dict(
        read=7, used=6, duplicate=0, orphan=0, late=0, after_as_of=0, gap=0, dead_lettered=1, other=3
    )
    assert out.accounts["click"] == dict(
        read=3, used=3, duplicate=0, orphan=0, late=0, after_as_of=0, gap=0, dead_lettered=0, other=7
    )


# ---- dead letters -----------------------------------------------------------------------------------------------


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


# ---- logs that are refused --------------------------------------------------------------------------------------


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


# ---- JSON lines and Parquet of all kinds ------------------------------------------------------------------------


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
