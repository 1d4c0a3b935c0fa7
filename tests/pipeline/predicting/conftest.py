"""Exported models: one whose answers can be worked out by hand, and one with a feature of every kind."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from small_ranker import write_ranker

FEATURES: dict[str, dict[str, Any]] = {
    "device": {"kind": "categorical", "dim": 2, "oov_buckets": 2},
    "item": {"kind": "categorical", "type": "integer", "side": "item", "dim": 2},
    "size": {"kind": "categorical", "type": "number", "vocabulary": None, "hash_buckets": 16, "dim": 2},
    "user": {"kind": "categorical", "side": "user", "vocabulary": None, "hash_buckets": 50, "dim": 2},
    "session": {
        "kind": "categorical",
        "vocabulary": None,
        "hash_buckets": 50,
        "quotient_remainder": True,
        "dim": 2,
    },
    "tags": {"kind": "multivalued", "side": "item", "separator": "|", "dim": 2, "max_length": 3},
    "recent": {"kind": "multivalued", "type": "integer", "side": "user", "dim": 2, "max_length": 2},
    "age": {"kind": "numeric", "side": "user", "transform": "log1p"},
    "age_group": {"kind": "bucketised", "column": "age", "boundaries": [20.0, 40.0], "dim": 2},
    "price": {"kind": "piecewise_linear", "side": "item", "boundaries": [1.0, 5.0, 10.0]},
    "hour": {"kind": "periodic", "period": 24.0, "harmonics": 2},
    "look": {"kind": "vector", "side": "item", "dim": 3},
    "device_item": {"kind": "cross", "columns": ["device", "item"], "hash_buckets": 40, "dim": 2},
    "position": {"kind": "numeric", "served_as": 1},
}
VOCABULARIES = {
    "device": ["phone", "desktop", "7", "true"],
    "item": ["7", "8"],
    "tags": ["new", "sale"],
    "recent": ["1", "2"],
}


@pytest.fixture(scope="session")
def ranker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """click = (age or 1) + item / 8 + number of tags; score = click * 2."""
    folder = tmp_path_factory.mktemp("ranker")
    return write_ranker(folder, 1, score="click * taste", score_weights={"taste": 2.0})


@pytest.fixture(scope="session")
def every_kind(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """folder of a model with a feature of every kind, inputs: its columns, its server and its Scorer."""
    import tensorflow as tf

    from models.features.layout import Analysed, FeatureLayout, feature_layout
    from models.features.preprocessing import write_transform_graph
    from models.recipe.recipe import Recipe
    from models.serving.export import export
    from models.serving.inference import load_server
    from models.serving.plan import ServingPlan
    from models.training.plan import TrainerPlan
    from pipeline.predicting.scorer import Scorer

    root = tmp_path_factory.mktemp("every")
    recipe = Recipe.model_validate(
        {
            "name": "small",
            "examples": {"path": "never.parquet"},
            "features": FEATURES,
            "tasks": {
                "click": {"kind": "binary", "label": {"column": "click"}},
                "value": {"kind": "regression", "label": {"column": "value"}, "loss": "squared_error"},
            },
        }
    )
    (root / "vocabularies").mkdir()
    for table, values in VOCABULARIES.items():
        (root / "vocabularies" / f"{table}.txt").write_text("".join(f"{value}\n" for value in values))
    analysed = Analysed(
        vocabulary_sizes={table: len(values) for table, values in VOCABULARIES.items()},
        boundaries={"age_group": (20.0, 40.0), "price": (1.0, 5.0, 10.0)},
        scaling={"age": (3.5, 0.5), "position": (1.0, 2.0)},
    )
    write_transform_graph(recipe.features, analysed, root / "vocabularies", root / "graph")
    layout = feature_layout(recipe.features, analysed)
    (root / "graph" / "layout.json").write_text(layout.to_json())
    factor = tf.Variable(0.125)

    def predictions(features: Mapping[str, Any]) -> dict[str, Any]:
        # Each packed number has a weight of its own, so that no two can change places.
        sums = []
        for _, values in sorted(features.items()):
            width = int(values.shape[1])
            weights = tf.range(1, width + 1, dtype=tf.float32) * float(len(sums) + 1) ** 0.5
            sums.append(tf.reduce_sum(tf.cast(values, tf.float32) * weights, axis=1))
        total = factor * tf.add_n(sums)
        return {"click": tf.sigmoid(total / 8), "value": total[:, tf.newaxis]}

    plan = TrainerPlan.from_recipe(recipe)
    inputs = {column: about.model_dump() for column, about in plan.inputs.items()}
    module = SimpleNamespace(variable=factor)
    export(
        predictions,
        root / "graph",
        FeatureLayout.load(root / "graph"),
        root / "1",
        inputs=inputs,
        kinds={"click": "binary", "value": "regression"},
        expected={"example_ids": [0], "predictions": {"click": [0.5], "value": [0.0]}},
        plan=ServingPlan(score="(click + 0.25) ^ power + 0.5 * value", weights={"power": 0.5}, tunable_weights=True),
        served={"position": 1.0},
    )
    assert module.variable is factor
    return SimpleNamespace(folder=root / "1", inputs=inputs, server=load_server(root / "1"), scorer=Scorer(root / "1"))
