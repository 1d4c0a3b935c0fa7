"""Columns, features, tasks and weights of any name: the exported model answers about them, or `validate` says why not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from models.recipe.argument_names import argument_names, is_argument_name
from models.recipe.errors import InputError
from models.recipe.file import load_recipe
from models.recipe.recipe import Recipe
from models.serving.named_rows import named_columns, rank_columns

COLUMNS = [
    *("self", "Self", "cls", "class", "None", "def", "column_self", "self_", "inputs", "args", "kwargs", "examples"),
    *("columns", "name", "dtype", "training", "user", "candidates", "instances", "score", "ranking", "click"),
    *("a_b", "a b", "A B", "a.b", "a/b", "a\\b", "a\nb", 'a"b', "_x", "^x", "1x", "0", "x:0", "%s", "{x}", "-", "\t"),
    *("Ünï", "名", "é", "e\u0301", "label/x", "weight/x", "gate", "x" * 300),
]
FEATURES = ["self", "cls", "class", "None", "categorical", "numeric", "labels", "multivalued", "inputs", "true"]
TASKS = ["self", "cls", "Click", "click", "inputs", "x_1", "return"]


def recipe_of(columns: list[str]) -> dict[str, Any]:
    """A categorical, a numeric and a multi-valued feature in turn, on each of the three sides."""
    kinds: list[dict[str, Any]] = [
        {"kind": "categorical", "vocabulary": None, "hash_buckets": 50, "dim": 2},
        {"kind": "numeric"},
        {"kind": "multivalued", "vocabulary": None, "hash_buckets": 50, "dim": 2},
    ]
    sides = ("user", "item", "context")
    names = [*FEATURES, *(f"f{number}" for number in range(len(FEATURES), len(columns)))]
    return {
        "name": "names",
        "examples": {"path": "a.csv"},
        "split": {"eval_fraction": 0.2},
        "features": {
            name: {**kinds[number % 3], "column": column, "side": sides[(number + number // 3) % 3]}
            for number, (name, column) in enumerate(zip(names, columns, strict=True))
        },
        "tasks": {task: {"kind": "regression", "label": {"column": f"of {task}"}} for task in TASKS},
        "serving": {"score": "self * cls + taste * click", "weights": {"taste": 2.0}, "tunable_weights": True},
    }


def predictions(packed: Mapping[str, Any]) -> dict[str, Any]:
    import tensorflow as tf

    sums = [tf.reduce_sum(tf.cast(values, tf.float32), axis=1) for _, values in sorted(packed.items())]
    total = tf.add_n([(place + 1.0) * part for place, part in enumerate(sums)])
    return {task: total / (place + 1) for place, task in enumerate(TASKS)}


def test_every_signature_answers_about_columns_of_any_name(tmp_path: Path) -> None:
    """The same rows as tf.Examples and by name give the same predictions, alone and as the candidates of a user."""
    from models.features.layout import Analysed, feature_layout
    from models.features.preprocessing import write_transform_graph
    from models.serving.export import export
    from models.serving.inference import RANK, RAW, load_named, load_server
    from models.serving.inputs import serialize_examples
    from models.serving.plan import ServingPlan
    from models.training.plan import TrainerPlan

    document = recipe_of(COLUMNS)
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False))
    assert load_recipe(tmp_path / "recipe.yaml").features["self"].column == "self"
    recipe = Recipe.model_validate(document)
    numeric = [name for name, feature in recipe.features.items() if feature.kind == "numeric"]
    analysed = Analysed(vocabulary_sizes={}, boundaries={}, scaling={name: (0.0, 1.0) for name in numeric})
    write_transform_graph(recipe.features, analysed, tmp_path / "vocabularies", tmp_path / "graph")
    inputs = {column: about.model_dump() for column, about in TrainerPlan.from_recipe(recipe).inputs.items()}
    export(
        predictions,
        tmp_path / "graph",
        feature_layout(recipe.features, analysed),
        tmp_path / "model",
        inputs=inputs,
        kinds={task: "regression" for task in TASKS},
        expected={},
        plan=ServingPlan(score=document["serving"]["score"], weights={"taste": 2.0}, tunable_weights=True),
    )
    random = np.random.default_rng(1)
    rows = [
        {
            column: f"v{random.integers(9)}" if about["type"] == "bytes" else float(random.integers(9))
            for column, about in inputs.items()
        }
        for _ in range(4)
    ]
    of_user = {column: value for column, value in rows[0].items() if inputs[column]["side"] == "user"}
    rows = [{**row, **of_user} for row in rows]
    served = load_server(tmp_path / "model")(serialize_examples(rows, inputs))
    raw, rank = load_named(tmp_path / "model", RAW, RANK)
    by_name = raw(named_columns(rows, inputs, inputs, "rows"))
    candidates = [{column: value for column, value in row.items() if column not in of_user} for row in rows]
    ranked = rank(rank_columns({"user": of_user, "candidates": candidates}, inputs))
    assert len(set(served["self"])) == len(rows)
    for task in TASKS:
        np.testing.assert_array_equal(by_name[task], served[task])
        np.testing.assert_array_equal(ranked[task], served[task])
    np.testing.assert_allclose(ranked["score"], served["self"] * served["cls"] + 2 * served["click"], rtol=1e-6)


def test_arguments_are_names_and_differ() -> None:
    names = argument_names(COLUMNS)
    assert list(names) == COLUMNS
    assert all(map(is_argument_name, names.values()))
    assert len({name.lower() for name in names.values()}) == len(COLUMNS)


def test_who_has_a_name_that_is_allowed_keeps_it() -> None:
    assert argument_names(["a b", "self", "a_b", "column_self", "A_B"]) == {
        "a b": "a_b__",
        "self": "column_self_",
        "a_b": "a_b",
        "column_self": "column_self",
        "A_B": "A_B_",
    }


REFUSED = {
    "features.f20.column: the name of the column 'label/click' is reserved": {
        "features": {"f20": {"kind": "numeric", "column": "label/click"}}
    },
    "features.f21.column: the name of the column 'gatewise/x' is reserved": {
        "features": {"f21": {"kind": "numeric", "column": "gatewise/x"}}
    },
    "evaluation.slices.0.1: the name of the column 'weight/self' is reserved": {
        "evaluation": {"slices": [["a b", "weight/self"]]}
    },
    "evaluation.group_key: the name of the column 'gatewise/key' is reserved": {
        "evaluation": {"group_key": "gatewise/key"}
    },
    "features.SELF: differs from 'self' only in case": {"features": {"SELF": {"kind": "numeric", "column": "other"}}},
    "serving.weights.Taste: differs from 'taste' only in case": {
        "serving": {"weights": {"taste": 1.0, "Taste": 1.0}, "score": "self * taste * Taste"}
    },
    "serving.weights.A_b_c: the column 'a b c' already has this name in the signature `rank`": {
        "features": {"f22": {"kind": "numeric", "column": "a b c"}},
        "serving": {"weights": {"A_b_c": 1.0}, "score": "cls * A_b_c"},
    },
    "tasks.score: the signature `rank` already has an output of this name": {
        "tasks": {"score": {"kind": "regression", "label": {"column": "y"}}}
    },
}


@pytest.mark.parametrize("words", REFUSED)
def test_names_that_are_taken(words: str, tmp_path: Path) -> None:
    document = recipe_of([column for column in COLUMNS if column != "x" * 300])
    for section, values in REFUSED[words].items():
        document[section] = {**document.get(section, {}), **values}
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False))
    with pytest.raises(InputError) as error:
        load_recipe(tmp_path / "recipe.yaml")
    assert words in str(error.value)


def test_a_task_that_no_formula_can_name_is_no_default_score(tmp_path: Path) -> None:
    """Any place but that of the first task, and any formula of the others, will do."""
    label = {"kind": "regression", "label": {"column": "y"}}
    document = {**recipe_of(COLUMNS), "tasks": {"class": label, "None": label, "click": label}, "serving": {}}
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    with pytest.raises(
        InputError,
        match="tasks.class: without serving.score the first task is the score, but 'class' is a Python keyword",
    ):
        load_recipe(path)
    assert list(load_recipe(path, ["serving.score=2 * click"]).tasks) == ["class", "None", "click"]
    document["tasks"] = {"click": label, "class": label}
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    assert load_recipe(path).serving.score is None


ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    "path", sorted([*ROOT.glob("recipes/*.yaml"), *ROOT.glob("benchmarks/*.yaml")]), ids=lambda p: p.name
)
def test_every_recipe_that_comes_with_it_is_fine(path: Path) -> None:
    assert load_recipe(path).name


def test_a_weight_that_no_input_can_be_called(tmp_path: Path) -> None:
    document = recipe_of(COLUMNS[:10])
    document["tasks"] = {"click": document["tasks"]["click"]}
    document["serving"] = {"weights": {"self": 1.0}, "score": "click * self", "tunable_weights": True}
    document["features"] = {"price": {"kind": "numeric"}}
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(document))
    with pytest.raises(InputError, match=r"serving.weights.self: 'self' is reserved by Python or TensorFlow"):
        load_recipe(tmp_path / "recipe.yaml")
