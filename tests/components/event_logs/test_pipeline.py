"""The whole stage on small logs: its examples and accounts, and that files, partitions and attempts change nothing."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from components.event_logs import label_steps, pipeline
from components.event_logs.plan import EventLogsPlan
from components.example_schema import SPLITS
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
    for step in (pipeline.Read, label_steps.LostCopies, label_steps.Attribute, pipeline.WriteExamples):
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
