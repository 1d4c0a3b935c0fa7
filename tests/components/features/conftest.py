"""Raw examples as the first stage writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.features.plan import FeaturesPlan

TYPES = {"bytes": pa.large_binary(), "int": pa.int64(), "float": pa.float32()}


def raw_table(columns: Mapping[str, tuple[str, Sequence[Sequence[Any] | None]]], tasks: Sequence[str]) -> pa.Table:
    """{column: (type, lists)} and labels 0, 1, 0, 1, ... with weights 1 and ids 10, 20, ... as large lists."""
    rows = len(next(iter(columns.values()))[1])
    arrays = {name: pa.array(lists, pa.large_list(TYPES[kind])) for name, (kind, lists) in columns.items()}
    for number, task in enumerate(tasks):
        arrays[f"label/{task}"] = pa.array(
            [[float((i + number) % 2)] for i in range(rows)], pa.large_list(pa.float32())
        )
        arrays[f"weight/{task}"] = pa.array([[1.0 + number] for _ in range(rows)], pa.large_list(pa.float32()))
    arrays["gatewise/example_id"] = pa.array([[10 * (i + 1)] for i in range(rows)], pa.large_list(pa.int64()))
    return pa.table(arrays)


@pytest.fixture
def make_table() -> Callable[..., pa.Table]:
    return raw_table


@pytest.fixture
def make_plan() -> Callable[..., FeaturesPlan]:
    """A plan of features given as in a recipe, with tasks click and buy; embeddings are 4 wide."""

    def make(features: Mapping[str, Mapping[str, Any]], tasks: Sequence[str] = ("click", "buy")) -> FeaturesPlan:
        filled = {
            name: dict(feature) if feature["kind"] in WITHOUT_TABLE else {"dim": 4, **feature}
            for name, feature in features.items()
        }
        return FeaturesPlan.model_validate({"features": filled, "tasks": list(tasks)})

    return make


WITHOUT_TABLE = ("numeric", "piecewise_linear", "periodic", "vector")
FEATURES: dict[str, dict[str, Any]] = {
    "device": {"kind": "categorical", "oov_buckets": 3},
    "item": {"kind": "categorical", "type": "integer", "embedding": "item", "oov_buckets": 2},
    "seen": {
        "kind": "multivalued",
        "type": "integer",
        "embedding": "item",
        "oov_buckets": 2,
        "max_length": 2,
        "pooling": "sum",
    },
    "price": {"kind": "numeric", "transform": "log1p"},
    "age": {"kind": "bucketised", "buckets": 3},
    "share": {"kind": "numeric", "scale": "minmax"},
    "share_value": {"kind": "categorical", "column": "share", "type": "number"},
    "share_often": {"kind": "categorical", "column": "share", "type": "number", "min_count": 2, "oov_buckets": 2},
    "item_size": {"kind": "numeric", "column": "item", "scale": "none"},
    "ages": {"kind": "piecewise_linear", "column": "age", "buckets": 3},
    "cycle": {"kind": "periodic", "column": "age", "period": 7},
    "text": {"kind": "vector", "dim": 2, "normalise": "standard"},
    "device_item": {"kind": "cross", "columns": ["device", "item"], "hash_buckets": 50},
    "direction": {"kind": "vector", "dim": 2, "normalise": "l2", "column": "text"},
}
COLUMNS: dict[str, tuple[str, list[Any]]] = {
    "device": ("bytes", [[b"phone"], [b"tv"], None, [b"phone"], [b"caf\xc3\xa9"], [b"tv"], [b"phone"], []]),
    "item": ("int", [[-5], [7], [7], None, [2**62], [-5], [-5], [7]]),
    "seen": ("int", [[7, 7, 99], [], None, [7], [-5, 7], [1], [2], [3, 4]]),
    "price": ("float", [[1.0], [0.0], [10.5], None, [3.0], [float("nan")], [-2.5], [1e6]]),
    "age": ("float", [[1.0], [2.0], [3.0], [4.0], [5.0], [6.0], None, [7.0]]),
    "share": ("float", [[0.5], [0.25], [0.75], [0.5], [0.5], [0.5], [0.5], None]),
    "text": (
        "float",
        [[3.0, 4.0], [1.0, 0.0], None, [0.0, 0.0], [1.0], [5.0, float("nan")], [1.0, 2.0, 3.0], [4.0, 8.0]],
    ),
}


@pytest.fixture
def features() -> dict[str, dict[str, Any]]:
    """A recipe's features of every kind."""
    return FEATURES


@pytest.fixture
def columns() -> dict[str, tuple[str, list[Any]]]:
    """Eight rows for `features`."""
    return COLUMNS


@pytest.fixture
def write_split() -> Callable[[Path, str, pa.Table, int], list[Path]]:
    """Writes a table as the files of a split: of `files` files, file i has every row with id // 10 % files == i."""

    def write(root: Path, split: str, table: pa.Table, files: int) -> list[Path]:
        ids = [value[0] for value in table.column("gatewise/example_id").to_pylist()]
        paths = []
        for number in range(files):
            rows = [row for row, value in enumerate(ids) if value // 10 % files == number]
            path = root / f"Split-{split}" / f"examples-{number:05d}-of-{files:05d}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(table.take(pa.array(rows, pa.int64())), path)
            paths.append(path)
        return paths

    return write
