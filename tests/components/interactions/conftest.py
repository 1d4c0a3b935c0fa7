"""A small log on disk, raw and transformed, as EventLogs and Features write it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tfx.components.util import examples_utils
from tfx.types import standard_artifacts

from components.interactions.executor import Executor
from components.interactions.plan import InteractionsPlan
from models.features.layout import FeatureLayout

HOUR = 3_600_000_000
TYPES = {"user_id": pa.large_binary(), "item_id": pa.large_binary(), "tags": pa.large_binary(), "device": pa.int64()}
FIELDS = ("user_id", "item_id", "hour", "click", "order")
ITEMS = (b"a", b"b", b"c", b"d")

# user, item, hour, click, order. The example's id is its place, from 1.
TRAIN = [
    (b"u1", b"a", 1, 1, 0),
    (b"u2", b"b", 2, 1, 1),
    (b"u1", b"b", 3, 0, 0),
    (b"u1", b"c", 4, 1, 1),
    (b"u2", b"a", 4, 1, 0),
    (b"u1", b"a", 5, 1, 0),
    (None, b"d", 6, 1, 0),
]
EVAL = [
    (b"u1", b"b", 7, 1, 0),
    (b"u1", b"a", 8, 1, 0),
    (b"u2", b"e", 8, 1, 0),
    (b"u2", b"b", 9, 0, 0),
    (b"u3", b"c", 9, 1, 1),
    (b"u3", b"c", 10, 1, 0),
]
Log = Sequence[tuple[Any, ...]]


def plan_of(**changes: Any) -> InteractionsPlan:
    """A plan for the small log; orders count 4 besides the click's 1."""
    values: dict[str, Any] = {
        "user": "user_id",
        "item": "item_id",
        "tasks": {"click": 1.0, "order": 4.0},
        "impression": 0.0,
        "user_columns": ("device",),
        "item_columns": ("tags",),
        "history": 2,
        "history_feature": "item",
        "prior": None,
        "item_ttl": None,
        "exclude_seen": False,
        "max_queries": 100,
    }
    return InteractionsPlan.model_validate({**values, **changes})


def write_log(root: Path, train: Log = TRAIN, evaluated: Log = EVAL, files: int = 1, seed: int | None = None) -> None:
    """Raw and transformed files; the features of an example name it: `tags` are its item and hour, `device` is its id.

    The last third of `train` is the validate split, which the stage adds to its train split.
    """
    number, middle = 0, len(train) * 2 // 3
    for split, rows in (("train", train[:middle]), ("validate", train[middle:]), ("eval", evaluated)):
        numbered = list(enumerate(rows, number + 1))
        number += len(rows)
        if seed is not None:
            np.random.default_rng(seed).shuffle(numbered)
        for part in range(files):
            if chosen := numbered[part::files]:
                _write_file(root, split, f"examples-{part:05d}-of-{files:05d}", chosen)
    (root / "examples" / "summary.json").write_text(json.dumps({"as_of": "1970-01-01T12:00:00Z"}))
    layout = FeatureLayout(
        tables={"item": (6, 4), "device": (9, 4)},
        categorical=(("device", "device"), ("item", "item")),
        multivalued={"tags": ("tags", "mean", 1)},
        numeric=("age", "age_missing"),
    )
    (root / "transform_graph").mkdir(exist_ok=True)
    (root / "transform_graph" / "layout.json").write_text(layout.to_json())


def _write_file(root: Path, split: str, name: str, rows: list[tuple[int, tuple[Any, ...]]]) -> None:
    columns: dict[str, list[Any]] = {field: [row[place] for _, row in rows] for place, field in enumerate(FIELDS)}
    ids = [number for number, _ in rows]
    lists = {
        "user_id": [[user] if user else [] for user in columns["user_id"]],
        "item_id": [[item] if item else [] for item in columns["item_id"]],
        # Every third example lacks them.
        "tags": [
            [item or b"", b"%d" % hour] if number % 3 else []
            for number, item, hour in zip(ids, columns["item_id"], columns["hour"], strict=True)
        ],
        "device": [[number] for number in ids],
    }
    raw = {column: pa.array(values, pa.large_list(TYPES[column])) for column, values in lists.items()}
    integers, floats = pa.large_list(pa.int64()), pa.large_list(pa.float32())
    raw["gatewise/example_id"] = pa.array([[number] for number in ids], integers)
    raw["gatewise/event_time"] = pa.array([[hour * HOUR] for hour in columns["hour"]], integers)
    path = root / "examples" / f"Split-{split}" / f"{name}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    labels = np.array([columns["order"], columns["click"]], np.float32).T
    weights = np.stack([labels[:, 1], np.ones(len(ids), np.float32)], axis=1)
    for place, task in enumerate(("order", "click")):
        raw[f"label/{task}"] = pa.array([[value] for value in labels[:, place].tolist()], floats)
        raw[f"weight/{task}"] = pa.array([[value] for value in weights[:, place].tolist()], floats)
    pq.write_table(pa.table(raw), path)

    codes = [1 + ITEMS.index(item) if item in ITEMS else 0 for item in columns["item_id"]]
    matrices = {
        "categorical": np.array([ids, codes], np.int32).T,
        "numeric": np.array([ids, [0] * len(ids)], np.float32).T,
        "multivalued/tags": np.array([ids], np.int32).T,
        "labels": labels,
        "weights": weights,
    }
    packed = {
        column: pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(values).reshape(-1)), values.shape[1])
        for column, values in matrices.items()
    }
    table = pa.table({**packed, "example_id": pa.array(ids, pa.int64())})
    table = table.replace_schema_metadata({b"tasks": json.dumps(["order", "click"]).encode()})
    path = root / "transformed_examples" / f"Split-{split}" / f"{name}.arrow"
    path.parent.mkdir(parents=True, exist_ok=True)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        # In several batches, as the stage Features writes large files.
        writer.write_table(table, max_chunksize=2)


def run_stage(root: Path | str, plan: InteractionsPlan) -> standard_artifacts.Examples:
    """Runs the executor over what lies in `root`; the output lies in its folder "interactions"."""
    inputs = {
        "examples": standard_artifacts.Examples(),
        "transformed_examples": standard_artifacts.Examples(),
        "transform_graph": standard_artifacts.TransformGraph(),
    }
    for name, artifact in inputs.items():
        artifact.uri = f"{root}/{name}"
        if name != "transform_graph":
            artifact.split_names, artifact.span, artifact.version = '["train", "validate", "eval"]', 3, 2
    examples_utils.set_file_format(inputs["transformed_examples"], "arrow_ipc")
    output = standard_artifacts.Examples()
    output.uri = f"{root}/interactions"
    Executor().Do(
        {name: [artifact] for name, artifact in inputs.items()},
        {"interactions": [output]},
        {"plan": plan.model_dump_json(), "code": "1"},
    )
    return output


@pytest.fixture
def make_plan() -> Callable[..., InteractionsPlan]:
    return plan_of


@pytest.fixture
def make_log() -> Callable[..., None]:
    return write_log


@pytest.fixture
def run() -> Callable[[Path, InteractionsPlan], standard_artifacts.Examples]:
    return run_stage
