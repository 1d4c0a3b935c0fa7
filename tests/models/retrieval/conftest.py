"""A small retrieval problem as the stage Interactions hands it over: two kinds of users, each with a taste for one kind of items."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

FEATURES: dict[str, dict[str, Any]] = {
    "segment": {"kind": "categorical", "side": "user", "dim": 4},
    "age": {"kind": "numeric", "side": "user"},
    "device": {"kind": "categorical", "dim": 4},
    "item_id": {"kind": "categorical", "type": "integer", "side": "item", "dim": 2, "oov_buckets": 2},
    "tags": {"kind": "multivalued", "side": "item", "dim": 3, "max_length": 3},
    "price": {"kind": "numeric", "side": "item"},
}
SEGMENTS, DEVICES, TAGS, ITEMS = ("even", "odd"), ("phone", "desktop"), ("new", "sale"), tuple(range(100, 140))
HISTORY = 3
SECTION: dict[str, Any] = {
    "user": "user_id",
    "item": "item_id",
    "positives": {"click": 1.0},
    "context": ["device"],
    "history": HISTORY,
    "dim": 8,
    "units": [16],
    "epochs": 4,
    "batch_size": 64,
    "learning_rate": 0.01,
    "candidates": 10,
}


def recipe_with(**section: Any) -> Any:
    """The recipe of the problem, with other values in its section."""
    from models.recipe.recipe import Recipe

    stream = {"path": "x/*.parquet", "key": ["user_id", "item_id"], "time": {"column": "t", "unit": "s"}}
    return Recipe.model_validate(
        {
            "name": "small",
            "logs": {"impressions": "shown", "streams": {"shown": stream, "click": stream}},
            "features": FEATURES,
            "tasks": {"click": {"kind": "binary", "outcome": "click", "window": "1h"}},
            "retrieval": {**SECTION, **section},
        }
    )


def item_row(item: int) -> dict[str, list[Any]]:
    """An item's raw columns; one of them has nothing but its id."""
    if item == ITEMS[-1]:
        return {"item_id": [item], "tags": [], "price": []}
    return {"item_id": [item], "tags": [TAGS[item % 2].encode()], "price": [float(item % 7)]}


@pytest.fixture(scope="session")
def problem(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """transform_graph, layout, and the globs of positives and items."""
    import tensorflow as tf

    from models.features.layout import Analysed, feature_layout
    from models.features.preprocessing import pack, write_transform_graph
    from models.recipe.features import raw_type

    root = tmp_path_factory.mktemp("retrieval")
    recipe = recipe_with()
    vocabularies = {"segment": SEGMENTS, "device": DEVICES, "item_id": ITEMS, "tags": TAGS}
    (root / "vocabularies").mkdir()
    for table, values in vocabularies.items():
        (root / "vocabularies" / f"{table}.txt").write_text("".join(f"{value}\n" for value in values))
    analysed = Analysed(
        vocabulary_sizes={table: len(values) for table, values in vocabularies.items()},
        boundaries={},
        scaling={"age": (40.0, 10.0), "price": (3.0, 2.0)},
    )
    graph = root / "transform_graph"
    write_transform_graph(recipe.features, analysed, root / "vocabularies", graph)
    layout = feature_layout(recipe.features, analysed)
    (graph / "layout.json").write_text(layout.to_json())

    random = np.random.default_rng(5)
    count = 600
    segment = random.integers(2, size=count)
    # Each segment takes the items of its own parity, the small numbers more often.
    chosen = np.array([ITEMS[0] + 2 * min(int(random.exponential(5)), 18) + one for one in segment])
    # Of every third only the history tells which kind he is.
    users = [
        {"segment": [], "age": [], "device": []}
        if row % 3 == 2
        else {"segment": [SEGMENTS[one].encode()], "age": [40.0], "device": [b"phone"]}
        for row, one in enumerate(segment)
    ]
    rows = [{**user, **item_row(int(item))} for user, item in zip(users, chosen, strict=True)]
    dtypes = {"bytes": tf.string, "int": tf.int64, "float": tf.float32}
    sparse = {
        name: tf.ragged.constant(
            [row[name] for row in rows], dtypes[raw_type(feature)], ragged_rank=1, row_splits_dtype=tf.int64
        ).to_sparse()
        for name, feature in recipe.features.items()
    }
    packed = pack(tf.saved_model.load(str(graph / "transform_fn")).transform_fn(sparse), layout)
    arrays = {name: array.numpy() for name, array in packed.items()}
    place = [feature for feature, _ in layout.categorical].index("item_id")
    ids = arrays["categorical"][:, place]
    history = np.full((count, HISTORY), -1, np.int32)
    for row in range(count):
        before = [ids[other] for other in range(row) if segment[other] == segment[row]][-HISTORY:][::-1]
        history[row, : len(before)] = before
    codes = np.unique(chosen, return_inverse=True)[1].astype(np.int32)
    shares = np.bincount(codes) / count
    columns = {**arrays, "history": history}
    table = pa.table(
        {
            **{
                name: pa.FixedSizeListArray.from_arrays(
                    pa.array(np.ascontiguousarray(array).reshape(-1)), array.shape[1]
                )
                for name, array in columns.items()
            },
            "item": codes,
            "log_q": np.log(shares[codes]).astype(np.float32),
            "weight": np.ones(count, np.float32),
        }
    )
    folder = root / "interactions" / "Split-train"
    folder.mkdir(parents=True)
    with pa.OSFile(str(folder / "interactions.arrow"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    write_items(root / "interactions" / "Split-items" / "items.parquet", ITEMS)
    return SimpleNamespace(
        transform_graph=graph,
        layout=layout,
        positives=str(folder / "*"),
        items=str(root / "interactions" / "Split-items" / "*"),
    )


def write_items(path: Path, items: tuple[int, ...], prior: dict[int, float] | None = None) -> str:
    """An item table of these items; the glob of its file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [item_row(item) for item in items]
    lists = {"tags": pa.large_list(pa.large_binary()), "price": pa.large_list(pa.float32())}
    table = pa.table(
        {
            "item_id": pa.array(items, pa.int64()),
            **{name: pa.array([row[name] for row in rows], kind) for name, kind in lists.items()},
            "gatewise/prior": pa.array([(prior or {}).get(item, 0.0) for item in items], pa.float32()),
        }
    )
    pq.write_table(table, path)
    return str(path.parent / "*")
