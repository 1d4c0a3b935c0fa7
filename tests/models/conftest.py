"""A small problem as the features stage hands it over: transform graph, raw and transformed examples."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

FEATURES: dict[str, dict[str, Any]] = {
    "device": {"kind": "categorical", "dim": 4, "oov_buckets": 2},
    "item": {"kind": "categorical", "type": "integer", "side": "item", "dim": 4},
    "tags": {"kind": "multivalued", "side": "item", "dim": 3, "max_length": 3},
    "age": {"kind": "numeric", "side": "user", "transform": "log1p"},
    "age_group": {"kind": "bucketised", "column": "age", "boundaries": [20.0, 40.0], "dim": 2},
}
TASKS: dict[str, dict[str, Any]] = {
    "click": {"kind": "binary", "label": {"column": "click"}},
    "value": {"kind": "regression", "label": {"column": "value"}, "loss": "squared_error", "weight": 0.5},
}
VOCABULARIES = {"device": ["phone", "desktop"], "item": ["7", "8", "9"], "tags": ["new", "sale"]}


def raw_rows(count: int, seed: int) -> list[dict[str, list[Any]]]:
    """Rows with missing values, values outside of the vocabularies, and too many tags."""
    random = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        tags = random.choice([b"new", b"sale", b"old"], size=random.integers(0, 5)).tolist()
        device = random.choice([b"phone", b"desktop", b"watch", b""])
        row = {
            "device": [bytes(device)] if device else [],
            "item": [int(random.integers(6, 11))],
            "tags": tags,
            "age": [float(np.float32(random.uniform(5, 80)))] if random.random() < 0.8 else [],
        }
        rows.append(row)
    return rows


def fixed_lists(array: np.ndarray, kind: pa.DataType) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(array.reshape(-1), kind), array.shape[1])


@pytest.fixture(scope="session")
def problem(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """recipe (a dict), transform_graph, train and eval (globs of transformed files), rows {split: raw rows}."""
    import tensorflow as tf

    from models.features.layout import Analysed, feature_layout
    from models.features.preprocessing import pack, raw_feature_spec, write_transform_graph
    from models.recipe.recipe import Recipe
    from models.serving.inputs import serialize_examples
    from models.training.plan import TrainerPlan

    root = tmp_path_factory.mktemp("problem")
    recipe = {
        "name": "small",
        "examples": {"path": "never.parquet"},
        "features": FEATURES,
        "tasks": TASKS,
        "model": {"options": {"mmoe": {"experts": 2, "units": [8], "tower_units": [4], "dropout": 0.1}}},
        "training": {
            "epochs": 3,
            "evaluate_every": 300,
            "batch_size": 32,
            "learning_rate": 0.01,
            "patience": 3,
            "jit_compile": False,
        },
        "serving": {"probe_requests": 5},
    }
    parsed = Recipe.model_validate(recipe)
    (root / "vocabularies").mkdir()
    for table, values in VOCABULARIES.items():
        (root / "vocabularies" / f"{table}.txt").write_text("".join(f"{value}\n" for value in values))
    analysed = Analysed(
        vocabulary_sizes={table: len(values) for table, values in VOCABULARIES.items()},
        boundaries={"age_group": (20.0, 40.0)},
        scaling={"age": (3.5, 0.5)},
    )
    graph = root / "transform_graph"
    write_transform_graph(parsed.features, analysed, root / "vocabularies", graph)
    layout = feature_layout(parsed.features, analysed)
    (graph / "layout.json").write_text(layout.to_json())

    inputs = {column: about.model_dump() for column, about in TrainerPlan.from_recipe(parsed).inputs.items()}
    transform = tf.saved_model.load(str(graph / "transform_fn")).transform_fn
    rows = {"train": raw_rows(300, seed=1), "eval": raw_rows(70, seed=2)}
    for number, (split, those) in enumerate(rows.items()):
        raw = tf.io.parse_example(serialize_examples(those, inputs), raw_feature_spec(parsed.features))
        columns = {name: array.numpy() for name, array in pack(transform(raw), layout).items()}
        random = np.random.default_rng(3 + number)
        score = columns["numeric"][:, 0] + (columns["categorical"][:, 0] - 2)
        click = (random.random(len(those)) < 1 / (1 + np.exp(-score))).astype(np.float32)
        value = (3 * click + score + random.normal(size=len(those)) / 4).astype(np.float32)
        # The value is observed of clicks only.
        table = pa.table(
            {
                **{
                    name: fixed_lists(array, pa.float32() if name == "numeric" else pa.int32())
                    for name, array in columns.items()
                },
                "labels": fixed_lists(np.stack([click, value * click], axis=1), pa.float32()),
                "weights": fixed_lists(np.stack([np.ones_like(click), click], axis=1), pa.float32()),
                "example_id": pa.array(np.arange(len(those)) * 10, pa.int64()),
            }
        ).replace_schema_metadata({"tasks": json.dumps(list(TASKS))})
        folder = root / "transformed" / f"Split-{split}"
        folder.mkdir(parents=True)
        for part in range(2):  # the ids of the two files are interleaved
            name = folder / f"examples-{part:05d}-of-00002.arrow"
            with pa.OSFile(str(name), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
                writer.write_table(table.take(np.arange(part, len(those), 2)))
    return SimpleNamespace(
        recipe=recipe,
        transform_graph=graph,
        train=str(root / "transformed" / "Split-train" / "*"),
        eval=str(root / "transformed" / "Split-eval" / "*"),
        rows=rows,
        inputs=inputs,
        folder=Path(root),
    )
