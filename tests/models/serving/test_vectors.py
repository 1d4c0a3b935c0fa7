"""A vector in requests: every signature answers as the training's graph, and another length is an error of the request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from models.features.layout import Analysed, feature_layout
from models.features.preprocessing import write_transform_graph
from models.recipe.errors import InputError
from models.recipe.recipe import Recipe
from models.serving.export import export
from models.serving.inputs import read_inputs, serialize_examples, typical_row
from models.serving.named_rows import named_columns, rank_columns
from models.training.plan import TrainerPlan

RECIPE: dict[str, Any] = {
    "name": "texts",
    "examples": {"path": "never.parquet"},
    "features": {
        "age": {"kind": "numeric", "side": "user", "scale": "none"},
        "taste": {"kind": "vector", "dim": 2, "side": "user", "normalise": "l2"},
        "text": {"kind": "vector", "dim": 3, "side": "item", "normalise": "standard"},
    },
    "tasks": {"click": {"kind": "binary", "label": {"column": "click"}}},
}
SCALING = {"age": (0.0, 1.0), "text/1": (1.0, 2.0), "text/2": (0.0, 4.0), "text/3": (-1.0, 1.0)}
USER = {"age": 30.0, "taste": [3.0, 4.0]}
CANDIDATES: list[dict[str, Any]] = [
    {"text": [3.0, 4.0, 0.0]},
    {},
    {"text": [1.0, 0.0, -1.0]},
    {"text": [float("nan"), 0.0, 0.0]},
    {"text": []},
]
# age, missing; 3/5, 4/5, missing; (3-1)/2, 4/4, 0+1, missing.
NUMBERS = [
    [30, 0, 0.6, 0.8, 0, 1, 1, 1, 0],
    [30, 0, 0.6, 0.8, 0, 0, 0, 0, 1],
    [30, 0, 0.6, 0.8, 0, 0, 0, 0, 0],
    [30, 0, 0.6, 0.8, 0, 0, 0, 0, 1],
    [30, 0, 0.6, 0.8, 0, 0, 0, 0, 1],
]
WEIGHTS = np.arange(1, 10, dtype=np.float32) / 8


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("texts")
    recipe = Recipe.model_validate(RECIPE)
    analysed = Analysed(vocabulary_sizes={}, boundaries={}, scaling=SCALING)
    write_transform_graph(recipe.features, analysed, root, root / "graph")
    weights = tf.Variable(WEIGHTS)
    export(
        lambda packed: {"click": tf.linalg.matvec(packed["numeric"], weights)},
        root / "graph",
        feature_layout(recipe.features, analysed),
        root / "model",
        inputs={name: about.model_dump() for name, about in TrainerPlan.from_recipe(recipe).inputs.items()},
        kinds={"click": "binary"},
        expected={"example_ids": [], "predictions": {"click": []}},
    )
    return root / "model"


def test_every_signature_answers_by_the_formula(model: Path) -> None:
    inputs = read_inputs(model)["inputs"]
    assert inputs["text"] == {"type": "float", "multivalued": True, "side": "item", "separator": None, "length": 3}
    signatures = tf.saved_model.load(str(model)).signatures
    rows = [{**USER, **candidate} for candidate in CANDIDATES]
    expected = np.array(NUMBERS, np.float32) @ WEIGHTS
    examples = signatures["serving_default"](examples=tf.constant(serialize_examples(rows, inputs)))
    np.testing.assert_allclose(examples["click"], expected, rtol=1e-6)
    named = {name: tf.constant(values) for name, values in named_columns(rows, inputs, inputs, "rows").items()}
    assert named["text"].shape == (5, 3)
    np.testing.assert_allclose(signatures["raw"](**named)["click"], expected, rtol=1e-6)
    ranked = rank_columns({"user": USER, "candidates": CANDIDATES}, inputs)
    assert ranked["taste"].shape == (1, 2)
    answers = signatures["rank"](**{name: tf.constant(values) for name, values in ranked.items()})
    np.testing.assert_allclose(answers["click"], expected, rtol=1e-6)
    assert typical_row(inputs) == {"age": 0.0, "taste": [0.0, 0.0], "text": [0.0, 0.0, 0.0]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ([1.0, 2.0], r"column 'text': expected a list of 3 numbers, received 2\. Give the whole vector\."),
        (1.0, r"expected a list of 3 numbers, received 1\."),
        ([1.0, None, 2.0], r"expected a number of 32 bits, received None\."),
    ],
)
def test_another_length_is_an_error_of_the_request(model: Path, text: Any, words: str) -> None:
    inputs = read_inputs(model)["inputs"]
    with pytest.raises(InputError, match=words):
        serialize_examples([{"text": text}], inputs)
    with pytest.raises(InputError, match=words):
        named_columns([{"text": text}], inputs, inputs, "Request")
