"""A small problem as the stage Features hands it over: the layout, and the transformed examples of the three splits."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from tfx.types import standard_artifacts

from models.features.layout import Analysed, feature_layout
from models.recipe.recipe import Recipe

RECIPE = {
    "name": "small",
    "examples": {"path": "never.parquet"},
    "features": {
        "device": {"kind": "categorical", "dim": 4},
        "age": {"kind": "numeric"},
    },
    "tasks": {
        "click": {"kind": "binary", "label": {"column": "click"}},
        "value": {"kind": "regression", "label": {"column": "value"}},
    },
    "model": {"options": {"mmoe": {"experts": 4, "units": [16], "tower_units": [8], "dropout": 0.1}}},
    "training": {"epochs": 40, "batch_size": 64, "learning_rate": 0.01, "jit_compile": False},
    "evaluation": {"references": ["linear", "single_task"]},
}


def _fixed(array: np.ndarray) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(array.reshape(-1)), array.shape[1])


@pytest.fixture
def recipe() -> Recipe:
    return Recipe.model_validate(RECIPE)


@pytest.fixture
def small(tmp_path: Path, recipe: Recipe) -> SimpleNamespace:
    """transformed, transform_graph (artifacts); eval_ids, eval_labels (of click), in the order of the files."""
    transformed, graph = standard_artifacts.Examples(), standard_artifacts.TransformGraph()
    transformed.uri, graph.uri = str(tmp_path / "transformed"), str(tmp_path / "graph")
    transformed.split_names = json.dumps(["train", "validate", "eval"])
    layout = feature_layout(
        recipe.features, Analysed(vocabulary_sizes={"device": 3}, boundaries={}, scaling={"age": (0.0, 1.0)})
    )
    Path(graph.uri).mkdir()
    (Path(graph.uri) / "layout.json").write_text(layout.to_json())
    random = np.random.default_rng(1)
    for split, rows in (("train", 400), ("validate", 100), ("eval", 90)):
        device = random.integers(0, 4, (rows, 1)).astype(np.int32)
        numeric = random.normal(size=(rows, len(layout.numeric))).astype(np.float32)
        score = 2.0 * numeric[:, 0] + device[:, 0] - 2.0
        click = (random.random(rows) < 1.0 / (1.0 + np.exp(-score))).astype(np.float32)
        ids = random.permutation(rows).astype(np.int64) * 3
        table = pa.table(
            {
                "categorical": _fixed(device),
                "numeric": _fixed(numeric),
                "labels": _fixed(np.stack([click, (score * click).astype(np.float32)], 1)),
                "weights": _fixed(np.stack([np.ones_like(click), click], 1)),
                "example_id": pa.array(ids),
            }
        ).replace_schema_metadata({"tasks": json.dumps(list(recipe.tasks))})
        folder = Path(transformed.uri) / f"Split-{split}"
        folder.mkdir(parents=True)
        for part in range(2):
            with (
                pa.OSFile(str(folder / f"examples-{part:05d}-of-00002.arrow"), "wb") as sink,
                pa.ipc.new_file(sink, table.schema) as writer,
            ):
                writer.write_table(table.slice(part * 40, 40 if part == 0 else rows))
    return SimpleNamespace(transformed=transformed, transform_graph=graph, eval_ids=ids, eval_clicks=click)
