"""Two pushed models whose answers can be worked out by hand, the records of their runs, and eval examples.

The ranker's click is age + item / 8 + number of tags + hour, its score twice that. Of `shop`'s retrieval model the user's vector is
[age, number of items in the history]. `alone` has no retrieval model.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_ranker import INPUTS, write_ranker
from small_retrieval import write_retrieval

from pipeline import lineage
from pipeline.lineage import Run
from tests.doubles.run_records import A, B, C, record, write

VERSION = 1700000000
ITEMS = (8, 16, 24, 32, 40)
VECTORS = [[4.0, 0.0], [3.0, 0.0], [2.0, 1.0], [1.0, 0.0], [0.0, 9.0]]
TAGS: list[list[bytes]] = [[], [b"x", b"y"], [b"x"], [], [b"x"]]
HOUR = {"hour": {"type": "int", "multivalued": False, "side": "context", "separator": None}}
USERS = ({"user": b"u1", "who": b"Ann", "age": 2.0, "hour": 1}, {"user": b"u2", "who": b"Bob", "age": 5.0, "hour": 3})


def resolved(**changed: Any) -> dict[str, Any]:
    return {
        "evaluation": {"group_key": "user"},
        "features": {"item": {"side": "item"}},
        "logs": {"impressions": "shown", "streams": {"shown": {"key": ["user", "item"]}}},
        "tasks": {"click": {"kind": "binary", "outcome": "tap"}},
        "serving": {"score": "click * taste", "model_name": None},
        **changed,
    }


def write_examples(folder: Path) -> Path:
    """Each user was shown items 8 to 40, as often as item / 8. A missing value is an empty list."""
    rows = [
        {**user, "item": item, "tags": tags}
        for user in USERS
        for item, tags in zip(ITEMS, TAGS, strict=True)
        for _ in range(item // 8)
    ]
    kinds = {"user": pa.binary(), "who": pa.binary(), "age": pa.float32(), "hour": pa.int64(), "item": pa.int64()}
    columns = {name: pa.array([[row[name]] for row in rows], pa.list_(kind)) for name, kind in kinds.items()}
    columns["tags"] = pa.array([row["tags"] for row in rows], pa.list_(pa.binary()))
    (folder / "Split-eval").mkdir(parents=True)
    pq.write_table(pa.table(columns), folder / "Split-eval" / "examples-00000-of-00001.parquet")
    return folder


def write_histories(folder: Path) -> Path:
    """The user u2 has chosen 16, and 8 before it."""
    place = folder / "Split-eval_queries"
    place.mkdir(parents=True)
    table = pa.table({"user": pa.array([b"u1", b"u2"]), "history": pa.array([[], [16, 8]], pa.list_(pa.int64()))})
    pq.write_table(table, place / "eval_queries.parquet")
    return folder


def make_root(root: Path) -> Path:
    serving = root / "serving"
    for name in ("shop", "shop_retrieval", "alone"):
        (serving / name).mkdir(parents=True)
    write_ranker(serving / "shop", VERSION, inputs={**INPUTS, **HOUR})
    items = [{"item": item, "tags": tags} for item, tags in zip(ITEMS, TAGS, strict=True)]
    write_retrieval(serving / "shop_retrieval", VERSION, items, VECTORS, answers=4)
    write_ranker(serving / "alone", VERSION)
    shop, alone = str(serving / "shop" / str(VERSION)), str(serving / "alone" / str(VERSION))
    retrieval = {"user": "user", "item": "item", "positives": {"click": 1, "order": 5}}
    write(
        root,
        record(A, serving=alone, pushed=alone, recipe="alone", resolved=resolved()),
        record(B, serving=shop, pushed=shop, resolved=resolved(retrieval=retrieval), overrides=["training.seed=<2>"]),
        record(C, serving=None, pushed=None, blessed=False, failed_gates=["click auc 0.75: at least 0.8"]),
    )
    compared = root / "shop" / "compare" / "ab12"
    compared.mkdir(parents=True)
    chosen = {"method": "ple", "why": "No method is better."}
    result = {"methods": [{"name": "ple"}, {"name": "mmoe"}], "seeds": [1, 2], "chosen": chosen}
    (compared / "compare.json").write_text(json.dumps(result))
    (compared / "compare.html").write_text("<h1>Compared</h1>")
    return root


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_root(tmp_path_factory.mktemp("ui") / "runs")


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What the stages left, by output."""
    folder = tmp_path_factory.mktemp("artifacts")
    (folder / "examples").mkdir()
    (folder / "examples" / "accounts.json").write_text(json.dumps({"shown": {"read": 31, "used": 30, "duplicate": 1}}))
    (folder / "evaluation").mkdir()
    gate = {"task": "click", "metric": "auc", "limit": "at least 0.7", "value": 0.75, "held": True}
    (folder / "evaluation" / "metrics.json").write_text(
        json.dumps({"gates": [gate], "tasks": {"click": {"auc": 0.75}}})
    )
    return {
        "EventLogs.examples": write_examples(folder / "examples"),
        "Interactions.interactions": write_histories(folder / "interactions"),
        "Evaluator.evaluation": folder / "evaluation",
    }


@pytest.fixture
def stored(artifacts: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """The metadata store has these artifacts for each run."""

    def read_run(where: object, run: str | None = None) -> Run:
        return Run(stages=(), artifacts=artifacts, properties={}, id=run or A, begun=1767225600.0)

    monkeypatch.setattr(lineage, "read_run", read_run)
