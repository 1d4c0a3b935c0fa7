"""The user's part computed once gives what the model gives."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from tasks import binary

from models.architectures import ARCHITECTURES
from models.balancing.fixed import Fixed
from models.features.layout import FeatureLayout, features_of, part_of
from models.layers.feature_encoder import FeatureEncoder
from models.recipe.registry import load
from models.serving.user_once import UserOnce
from models.training.multi_task_model import MultiTaskModel

ROWS = ("mmoe", "ple")
"""The contract test of architectures holds the others to it, without an encoder."""

TASKS = ("click", "click_cart", "value")
LAYOUT = FeatureLayout(
    tables={"user": (9, 4), "item": (7, 4), "word": (6, 3), "pair": (9, 2)},
    categorical=(("item", "item"), ("user", "user"), ("seen", "item")),
    multivalued={"liked": ("word", "mean", 3), "tags": ("word", "sum", 2), "pair": ("pair", "sum", 2)},
    numeric=("age/1", "age/2", "age_missing", "price", "price_missing"),
    quotient_remainder=("pair",),
)
USER = ("user", "seen", "liked", "age")


def model_of(name: str) -> MultiTaskModel:
    keras.utils.set_random_seed(3)
    encoder = FeatureEncoder(
        dict(LAYOUT.tables),
        categorical=dict(LAYOUT.categorical),
        multivalued={feature: about[:2] for feature, about in LAYOUT.multivalued.items()},
        numeric=LAYOUT.numeric,
        quotient_remainder=LAYOUT.quotient_remainder,
    )
    losses = {"click": "binary_crossentropy", "click_cart": "binary_crossentropy", "value": "squared_log_error"}
    model = MultiTaskModel(encoder, load(ARCHITECTURES[name])(binary(*TASKS)), Fixed(TASKS, (1.0, 1.0, 1.0)), losses)
    model(packed(1, 0))
    random = np.random.default_rng(0)
    for variable in model.architecture.variables:  # biases start at 0, which would hide where they go
        variable.assign(variable.value + random.normal(size=variable.shape, scale=0.1).astype("f4"))
    return model


def packed(rows: int, seed: int) -> dict[str, np.ndarray]:
    """Packed columns of random examples."""
    random = np.random.default_rng(seed)
    columns: dict[str, Any] = {
        "categorical": np.stack(
            [random.integers(0, LAYOUT.tables[table][0], rows) for _, table in LAYOUT.categorical], 1
        ),
        "numeric": random.normal(size=(rows, len(LAYOUT.numeric))),
        "multivalued/liked": random.integers(-1, 6, (rows, 3)),
        "multivalued/tags": random.integers(-1, 6, (rows, 2)),
        "multivalued/pair": np.stack([random.integers(0, 5, rows), random.integers(5, 9, rows)], 1),
    }
    return {name: array.astype("f4" if name == "numeric" else "i4") for name, array in columns.items()}


def only(columns: dict[str, np.ndarray], part: FeatureLayout) -> dict[str, np.ndarray]:
    """The columns of a part of the features."""
    names = [name for name, _ in LAYOUT.categorical]
    found = {
        "categorical": columns["categorical"][:, [names.index(name) for name, _ in part.categorical]],
        "numeric": columns["numeric"][:, [LAYOUT.numeric.index(name) for name in part.numeric]],
        **{f"multivalued/{name}": columns[f"multivalued/{name}"] for name in part.multivalued},
    }
    return {name: array for name, array in found.items() if array.shape[1]}


@pytest.mark.parametrize("count", [1, 40])
@pytest.mark.parametrize("name", ROWS)
def test_each_candidate_gets_what_the_model_predicts(name: str, count: int) -> None:
    model = model_of(name)
    once = UserOnce(model, LAYOUT, USER)
    candidates, user = packed(count, 1), packed(1, 2)
    whole = {}
    for key, array in candidates.items():
        whole[key] = array.copy()
    for column, (feature, _) in enumerate(LAYOUT.categorical):
        if feature in USER:
            whole["categorical"][:, column] = user["categorical"][0, column]
    whole["numeric"][:, :3] = user["numeric"][0, :3]
    whole["multivalued/liked"][:] = user["multivalued/liked"]
    expected = model.predictions(whole)
    call = tf.function(lambda one, many: once(one, many))
    answers = call(only(user, once.user_layout), only(candidates, once.candidate_layout))
    assert list(answers) == list(TASKS)
    for task, values in expected.items():
        assert answers[task].shape == (count,)
        np.testing.assert_allclose(answers[task], values, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ROWS)
def test_a_graph_that_does_not_know_how_many_rows_the_user_has(name: str) -> None:
    once = UserOnce(model_of(name), LAYOUT, USER)
    user, candidates = only(packed(1, 2), once.user_layout), only(packed(5, 1), once.candidate_layout)
    specs = [
        {key: tf.TensorSpec((None, array.shape[1]), array.dtype) for key, array in columns.items()}
        for columns in (user, candidates)
    ]
    call = tf.function(lambda one, many: once(one, many), input_signature=specs)
    for task, values in once(user, candidates).items():
        np.testing.assert_allclose(call(user, candidates)[task], values, rtol=1e-5, atol=1e-6)


def test_the_users_work_is_done_for_one_row() -> None:
    """Of the products, only those with the candidates' rows of the kernels have a row for each candidate."""
    model = model_of("mmoe")
    once = UserOnce(model, LAYOUT, USER)
    user, candidates = only(packed(1, 2), once.user_layout), only(packed(5, 1), once.candidate_layout)
    graph = tf.function(lambda one, many: once(one, many)).get_concrete_function(user, candidates).graph
    of_user, of_candidates = once.encoders[0].dim, once.encoders[1].dim
    assert of_user + of_candidates == model.encoder.dim
    inputs = [
        tuple(operation.inputs[0].shape)
        for operation in graph.get_operations()
        if operation.type in ("MatMul", "BatchMatMulV2", "Einsum")
    ]
    assert (1, of_user) in inputs and (5, of_candidates) in inputs
    assert not any(rows == 5 and width in (of_user, model.encoder.dim) for *_, rows, width in inputs)


def test_the_parts_of_a_layout() -> None:
    assert features_of(LAYOUT) == ("item", "user", "seen", "liked", "tags", "pair", "age", "price")
    part = part_of(LAYOUT, USER)
    assert part.categorical == (("user", "user"), ("seen", "item")) and part.numeric == (
        "age/1",
        "age/2",
        "age_missing",
    )
    assert list(part.multivalued) == ["liked"] and part.quotient_remainder == () and part.tables == LAYOUT.tables


@pytest.mark.parametrize("users", [(), features_of(LAYOUT)])
def test_a_part_without_features_is_refused(users: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="expected features of the user and others"):
        UserOnce(model_of("shared_bottom"), LAYOUT, users)
