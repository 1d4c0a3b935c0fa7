"""Wrong inputs: each run ends with exit code 1 or 2 and one message that says what to do. Nothing is pushed."""

from __future__ import annotations

import csv
import datetime
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
import yaml

from pipeline.cli import main

pytestmark = pytest.mark.slow

START = int(datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC).timestamp())
Rows = list[dict[str, Any]]


class Logs:
    """A small log with two streams as CSV, and its recipe; each test breaks one thing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        chance = random.Random(1)
        self.shown: Rows = []
        self.clicks: Rows = []
        for index in range(2000):
            at = START + index * 60
            row = {
                "user": f"u{index % 50}",
                "item": f"i{chance.randrange(40)}",
                "at": at,
                "price": round(chance.random(), 3),
            }
            row["age"] = chance.randrange(20, 60)
            self.shown.append(row)
            if chance.random() < 0.2:
                self.clicks.append(
                    {"user": row["user"], "item": row["item"], "at": at + 5, "seconds": chance.randrange(1, 60)}
                )
        stream = {"key": ["user", "item"], "time": {"column": "at", "unit": "s"}}
        self.recipe: dict[str, Any] = {
            "name": "small",
            "logs": {
                "impressions": "shown",
                "streams": {
                    "shown": {"path": "shown.csv", **stream},
                    "click": {"path": "click.csv", "value": "seconds", **stream},
                },
            },
            "split": {"eval_fraction": 0.3},
            "features": {
                "item": {"kind": "categorical", "side": "item"},
                "price": {"kind": "numeric"},
                "age": {"kind": "categorical", "type": "integer"},
            },
            "tasks": {"click": {"kind": "binary", "outcome": "click", "window": "10m", "gates": "none"}},
            "model": {
                "architecture": "shared_bottom",
                "options": {"shared_bottom": {"units": [4], "tower_units": [4]}},
            },
            "training": {"epochs": 1, "batch_size": 256, "jit_compile": False},
        }

    def write(self) -> Path:
        """Writes what the test left as it is; files that it wrote itself stay."""
        for name, rows in (("shown", self.shown), ("click", self.clicks)):
            path = self.folder / f"{name}.csv"
            if rows and not path.exists():
                with open(path, "w", newline="") as file:
                    writer = csv.DictWriter(file, list(rows[0]))
                    writer.writeheader()
                    writer.writerows(rows)
        path = self.folder / "recipe.yaml"
        path.write_text(yaml.safe_dump(self.recipe, sort_keys=False))
        return path

    def text(self, name: str, content: str) -> None:
        (self.folder / name).write_text(content)

    def stream(self, name: str, **changes: Any) -> None:
        self.recipe["logs"]["streams"][name].update(changes)

    def each(self, rows: Rows, **changes: Callable[[dict[str, Any]], Any]) -> None:
        for row in rows:
            row.update({key: change(row) for key, change in changes.items()})

    def drop(self, rows: Rows, column: str) -> None:
        for row in rows:
            del row[column]

    def labelled(self, **label: Any) -> None:
        """Turns the log into labelled examples."""
        self.each(self.shown, label=lambda row: (row["at"] % 3 == 0 and 1) or 0)
        del self.recipe["logs"]
        self.recipe["examples"] = {"path": "shown.csv", "time": {"column": "at", "unit": "s"}}
        self.recipe["tasks"] = {"click": {"kind": "binary", "label": {"column": "label", **label}}}


def parquet_without_key(logs: Logs) -> None:
    table = pa.Table.from_pylist(logs.clicks).drop_columns(["item"])
    pq.write_table(table, logs.folder / "click.parquet")
    logs.stream("click", path="click.parquet")


def curated_schema(logs: Logs) -> None:
    logs.text(
        "schema.pbtxt",
        'feature { name: "item" type: BYTES domain: "items" }\n'
        'string_domain { name: "items" value: "i1" value: "i2" }\n',
    )
    logs.recipe["validation"] = {"schema": "schema.pbtxt"}


WRONG: dict[str, tuple[Callable[[Logs], Any], int, list[str]]] = {
    "glob matches nothing": (lambda logs: logs.stream("click", path="clicks/*.csv"), 1, ["click", "clicks/*.csv"]),
    "no data folder": (lambda logs: logs.recipe.update(data="nowhere"), 1, ["nowhere"]),
    "unknown Beam runner": (
        lambda logs: logs.recipe.update(beam={"runner": "FlinkRuner"}),
        1,
        ["beam.runner", "FlinkRuner"],
    ),
    "empty file": (lambda logs: logs.text("click.csv", ""), 1, ["click.csv"]),
    "header only": (lambda logs: logs.text("click.csv", "user,item,at,seconds\n"), 1, ["click", "have no rows"]),
    "no event of this kind": (
        lambda logs: logs.stream("click", where={"item": ["none"]}),
        1,
        ["click", "expected none"],
    ),
    "key column missing": (lambda logs: logs.drop(logs.clicks, "item"), 1, ["click.csv", "'item'"]),
    "feature column missing": (lambda logs: logs.drop(logs.shown, "price"), 1, ["shown.csv", "'price'"]),
    "column missing in Parquet": (parquet_without_key, 1, ["click.parquet", "'item'"]),
    "a quote that swallows rows": (
        lambda logs: logs.text(
            "shown.csv",
            "user,item,at,price,age\n" + "u1,i1,1767225600,1,20\n" * 9 + 'u1,"i1,1767225600,1,20\n' * 2,
        ),
        1,
        ["shown.csv, line 11", "quote"],
    ),
    "text in a numeric column": (lambda logs: logs.each(logs.shown, price=lambda row: "cheap"), 1, ["price", "cheap"]),
    "one row in ten malformed": (lambda logs: logs.each(logs.shown[::10], at=lambda row: "soon"), 1, ["shown", "dead"]),
    "decimals in an integer column": (lambda logs: logs.each(logs.shown, age=lambda row: 20.5), 1, ["age", "20.5"]),
    "text in the value column": (
        lambda logs: (
            logs.each(logs.clicks, seconds=lambda row: "long"),
            logs.recipe["tasks"].update(seconds={"kind": "regression", "outcome": "click", "window": "10m"}),
        ),
        1,
        ["seconds", "long"],
    ),
    "milliseconds read as seconds": (
        lambda logs: (
            logs.each(logs.shown, at=lambda row: row["at"] * 1000),
            logs.each(logs.clicks, at=lambda row: row["at"] * 1000),
        ),
        1,
        ["at", "ms"],
    ),
    "clicks in another time zone": (
        lambda logs: logs.each(logs.clicks, at=lambda row: row["at"] - 3 * 3600),
        1,
        ["click", "zone"],
    ),
    "times without offset": (
        lambda logs: (
            logs.each(
                logs.shown,
                at=lambda row: datetime.datetime.fromtimestamp(row["at"], datetime.UTC).strftime("%Y-%m-%d %H:%M:%S"),
            ),
            logs.stream("shown", time={"column": "at", "unit": "text"}),
        ),
        1,
        ["zone", "offset"],
    ),
    "another key": (lambda logs: logs.each(logs.clicks, user=lambda row: "x" + row["user"]), 1, ["click", "key"]),
    "one class only": (lambda logs: logs.each(logs.clicks, at=lambda row: row["at"] + 3600), 1, ["click", "train"]),
    "all positive": (
        lambda logs: logs.clicks.extend(
            {"user": row["user"], "item": row["item"], "at": row["at"] + 1, "seconds": 1} for row in logs.shown
        ),
        1,
        ["click", "train"],
    ),
    "as_of before the logs": (lambda logs: logs.recipe["logs"].update(as_of="2025-01-01T00:00:00Z"), 1, ["as_of"]),
    "empty eval split": (
        lambda logs: logs.recipe.update(split={"eval_from": "2026-06-01T00:00:00Z"}),
        1,
        ["eval"],
    ),
    "empty train split": (
        lambda logs: logs.recipe.update(split={"eval_from": "2025-06-01T00:00:00Z"}),
        1,
        ["train"],
    ),
    "corrupt Parquet": (
        lambda logs: (logs.text("click.parquet", "PAR1 and then nothing"), logs.stream("click", path="click.parquet")),
        1,
        ["click.parquet"],
    ),
    "JSON lines that are none": (
        lambda logs: (logs.text("click.jsonl", "user=u1\n" * 50), logs.stream("click", path="click.jsonl")),
        1,
        ["click.jsonl", "JSON"],
    ),
    "a feature without any value": (
        lambda logs: (
            logs.each(logs.shown, item2=lambda row: "") or logs.recipe["features"].update(item2={"kind": "categorical"})
        ),
        1,
        ["item2"],
    ),
    "curated schema": (curated_schema, 1, ["item", "schema"]),
    "label column missing": (
        lambda logs: logs.labelled() or logs.drop(logs.shown, "label"),
        1,
        ["shown.csv", "'label'"],
    ),
    "labels that are no labels": (
        lambda logs: logs.labelled() or logs.each(logs.shown, label=lambda row: "maybe"),
        1,
        ["label", "maybe"],
    ),
    "positive value never seen": (lambda logs: logs.labelled(positive=["yes"]), 1, ["click", "train"]),
    "gate not held": (
        lambda logs: logs.recipe["tasks"]["click"].update(gates=[{"metric": "auc", "at_least": 0.99}]),
        2,
        ["auc", "0.99"],
    ),
    "one class in the eval split": (
        lambda logs: (
            logs.clicks.__setitem__(slice(None), [row for row in logs.clicks if row["at"] < START + 1300 * 60]),
            logs.recipe["logs"].update(as_of="2026-01-02T10:00:00Z"),
            logs.recipe["tasks"]["click"].update(gates=[{"metric": "auc", "at_least": 0.5}]),
        ),
        2,
        ["auc", "click"],
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_input(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    break_it, code, words = WRONG[name]
    logs = Logs(tmp_path)
    break_it(logs)
    with pytest.raises(SystemExit) as exit_:
        main(["run", str(logs.write()), "--root", str(tmp_path / "runs")])
    printed = capfd.readouterr()
    message = printed.err[printed.err.find("gatewise: ") :] if code == 1 else printed.out
    assert exit_.value.code == code, printed.err
    assert "Traceback" not in printed.err
    for word in words:
        assert word in message, message
    assert not list((tmp_path / "runs").glob("serving/*/*"))


def test_the_small_log_is_fine_unbroken(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Each test above breaks this log, so it must be whole."""
    with pytest.raises(SystemExit) as exit_:
        main(["run", str(Logs(tmp_path).write()), "--root", str(tmp_path / "runs")])
    assert exit_.value.code == 0, capfd.readouterr().err
    assert len(list((tmp_path / "runs").glob("serving/small/*/saved_model.pb"))) == 1
