"""A cross of the user's and the candidates' columns in requests: every signature gives the ids of the training's graph."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from models.features.layout import Analysed, FeatureLayout, feature_layout, part_of
from models.features.preprocessing import write_transform_graph
from models.recipe.recipe import Recipe
from models.serving.export import export
from models.serving.inputs import read_inputs, serialize_examples
from models.serving.named_rows import named_columns, rank_columns
from models.training.plan import TrainerPlan

HASHED: dict[str, Any] = {"kind": "categorical", "vocabulary": None, "hash_buckets": 97, "dim": 2}
RECIPE: dict[str, Any] = {
    "name": "pairs",
    "examples": {"path": "never.parquet"},
    "features": {
        "country": {**HASHED, "side": "user"},
        "item": {**HASHED, "type": "integer", "side": "item"},
        "place": {"kind": "cross", "columns": ["country", "city"], "side": "user", "hash_buckets": 97, "dim": 2},
        "both": {"kind": "cross", "columns": ["country", "item", "device"], "hash_buckets": 997, "dim": 2},
    },
    "tasks": {"click": {"kind": "binary", "label": {"column": "click"}}},
}
USER = {"country": "at", "city": "Graz"}
CANDIDATES: list[dict[str, Any]] = [
    {"item": 7, "device": "tv"},
    {"item": 8, "device": "tv"},
    {"item": 7, "device": "phone"},
    {"device": "tv"},
]
WEIGHTS = np.array([1, 1 / 8, 1 / 64, 1 / 512], np.float32)


class ForOneUser:
    """The sum over the user's part and the candidates' part."""

    def __init__(self, layout: FeatureLayout, weights: tf.Variable) -> None:
        self.user_layout, self.candidate_layout = (
            part_of(layout, ["country", "place"]),
            part_of(layout, ["item", "both"]),
        )
        self.weights = weights

    def __call__(self, user: Mapping[str, Any], candidates: Mapping[str, Any]) -> dict[str, Any]:
        one = tf.linalg.matvec(tf.cast(user["categorical"], tf.float32), tf.gather(self.weights, [0, 2]))
        each = tf.linalg.matvec(tf.cast(candidates["categorical"], tf.float32), tf.gather(self.weights, [1, 3]))
        return {"click": one + each}


@pytest.fixture(scope="module")
def plan() -> TrainerPlan:
    return TrainerPlan.from_recipe(Recipe.model_validate(RECIPE))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, plan: TrainerPlan) -> Path:
    root = tmp_path_factory.mktemp("pairs")
    features = Recipe.model_validate(RECIPE).features
    analysed = Analysed(vocabulary_sizes={}, boundaries={}, scaling={})
    write_transform_graph(features, analysed, root, root / "graph")
    layout, weights = feature_layout(features, analysed), tf.Variable(WEIGHTS)
    export(
        lambda packed: {"click": tf.linalg.matvec(tf.cast(packed["categorical"], tf.float32), weights)},
        root / "graph",
        layout,
        root / "model",
        inputs={name: about.model_dump() for name, about in plan.inputs.items()},
        kinds={"click": "binary"},
        expected={"example_ids": [], "predictions": {"click": []}},
        for_one_user=ForOneUser(layout, weights),
        shared=plan.shared_columns,
    )
    return root / "model"


def test_the_plan_knows_which_features_are_of_the_user(plan: TrainerPlan) -> None:
    assert plan.user_features == ("country", "place")
    # The candidates' part reads the country, and not the city.
    assert plan.shared_columns == ("country",)
    assert plan.columns == {"country": "country", "item": "item"}
    assert {name: (about.type, about.side) for name, about in plan.inputs.items()} == {
        "country": ("bytes", "user"),
        "item": ("int", "item"),
        "city": ("bytes", "user"),
        "device": ("bytes", "context"),
    }
    assert plan.without_export.shared_columns == ()


def test_every_signature_gives_the_same(model: Path) -> None:
    inputs = read_inputs(model)["inputs"]
    signatures = tf.saved_model.load(str(model)).signatures
    rows = [{**USER, **candidate} for candidate in CANDIDATES]
    expected = signatures["serving_default"](examples=tf.constant(serialize_examples(rows, inputs)))["click"].numpy()
    assert len(set(expected.tolist())) == 4
    named = {name: tf.constant(values) for name, values in named_columns(rows, inputs, inputs, "rows").items()}
    np.testing.assert_allclose(signatures["raw"](**named)["click"], expected, rtol=1e-6)
    ranked = rank_columns({"user": USER, "candidates": CANDIDATES}, inputs)
    assert ranked["country"].shape == (1,) and ranked["item"].shape == (4,)
    answers = signatures["rank"](**{name: tf.constant(values) for name, values in ranked.items()})
    np.testing.assert_allclose(answers["click"], expected, rtol=1e-6)
    # Without the user's country there is no cross.
    without = rank_columns({"user": {}, "candidates": CANDIDATES}, inputs)
    bare = signatures["rank"](**{name: tf.constant(values) for name, values in without.items()})["click"].numpy()
    examples = tf.constant(serialize_examples(CANDIDATES, inputs))
    np.testing.assert_allclose(bare, signatures["serving_default"](examples=examples)["click"], rtol=1e-6)
    assert (bare != expected).all()
