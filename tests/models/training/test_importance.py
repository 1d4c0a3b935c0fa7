"""Permutation importance: against a slow reference, what is permuted together, and the draw."""

import logging
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from models.features.input_pipeline import Columns
from models.features.layout import FeatureLayout
from models.losses import LOSSES
from models.recipe.registry import load
from models.training import importance as module
from models.training.importance import draw, grouped, importance, permuted
from models.training.task_scales import TaskScales, constant_loss

LAYOUT = FeatureLayout(
    tables={"device": (5, 2), "tags": (5, 2), "price_level": (4, 2)},
    categorical=(("device", "device"), ("price_level", "price_level")),
    multivalued={"tags": ("tags", "mean", 3)},
    numeric=("age", "age_missing", "price/sin1", "price/cos1", "price_missing"),
)
COLUMNS = {"device": "device", "price_level": "price", "tags": "tags", "age": "age", "price": "price"}


def split(rows, seed=0, groups=None):
    random = np.random.default_rng(seed)
    arrays = {
        "categorical": random.integers(0, 4, (rows, 2)).astype(np.int32),
        "multivalued/tags": random.integers(0, 5, (rows, 3)).astype(np.int32),
        "numeric": random.normal(size=(rows, 5)).astype(np.float32),
    }
    click = (random.random(rows) < 1 / (1 + np.exp(-3 * arrays["numeric"][:, 0]))).astype(np.float32)
    value = (2 * arrays["categorical"][:, 0] + random.normal(size=rows)).astype(np.float32)
    weights = np.stack([random.uniform(0.5, 2, rows), random.integers(0, 2, rows)], axis=1).astype(np.float32)
    return Columns(arrays, np.stack([click, value], axis=1), weights, np.arange(rows), ("click", "value"), groups)


class Known:
    """A model of two tasks: click reads the age, value the device and the price's sine."""

    tasks = ("click", "value")

    def __init__(self, columns, losses=("binary_crossentropy", "squared_error")):
        self.loss_functions = [load(LOSSES[name])() for name in losses]
        self.scales = TaskScales([1, 1])
        self.scales.build()
        self.scales.start(self.loss_functions, columns.labels, columns.weights)
        self.traced = 0

    def __call__(self, features, training):
        assert training is False
        self.traced += 1
        value = 2 * tf.cast(features["categorical"][:, 0], tf.float32) + features["numeric"][:, 2]
        return {"click": 3 * features["numeric"][:, 0], "value": value}


def losses_by_hand(columns, arrays):
    logit, weights = 3 * arrays["numeric"][:, 0].astype(np.float64), columns.weights.astype(np.float64)
    entropy = np.logaddexp(0, logit) - columns.labels[:, 0] * logit
    value = 2 * arrays["categorical"][:, 0] + arrays["numeric"][:, 2]
    each = {"click": entropy, "value": (value - columns.labels[:, 1]) ** 2}
    return {task: float(np.average(loss, weights=weights[:, i])) for i, (task, loss) in enumerate(each.items())}


def test_the_rises_are_those_of_a_slow_reference():
    columns = split(300)
    model = Known(columns)
    found = importance(model, LAYOUT, columns, COLUMNS, seed=7, batch_size=64)
    assert found["examples"] == 300 and list(found["rises"]) == ["device", "price", "tags", "age"]
    assert model.traced == 1
    before = losses_by_hand(columns, columns.arrays)
    scale = {
        task: constant_loss(loss, logits, columns.labels[:, i], columns.weights[:, i])
        for i, (task, loss, logits) in enumerate(
            zip(model.tasks, model.loss_functions, model.scales.best_constants, strict=True)
        )
    }
    for repeat in range(2):
        order = np.random.default_rng([7, 1 + repeat]).permutation(300)
        for column, places in {
            "device": {"categorical": [0]},
            "price": {"categorical": [1], "numeric": [2, 3, 4]},
            "tags": {"multivalued/tags": [0, 1, 2]},
            "age": {"numeric": [0, 1]},
        }.items():
            arrays = {name: array.copy() for name, array in columns.arrays.items()}
            for name, positions in places.items():
                for position in positions:
                    arrays[name][:, position] = columns.arrays[name][order, position]
            after = losses_by_hand(columns, arrays)
            for task in model.tasks:
                expected = (after[task] - before[task]) / scale[task]
                assert found["rises"][column][task][repeat] == pytest.approx(expected, rel=1e-4, abs=1e-6)
    assert min(found["rises"]["age"]["click"]) > 0.1 and found["rises"]["age"]["value"] == [0, 0]
    assert min(found["rises"]["device"]["value"]) > 0.1 and found["rises"]["tags"] == {"click": [0, 0], "value": [0, 0]}


def test_features_of_one_column_move_together():
    assert grouped(LAYOUT, COLUMNS) == {
        "device": {"categorical": [0]},
        "price": {"categorical": [1], "numeric": [2, 3, 4]},
        "tags": {"multivalued/tags": [0, 1, 2]},
        "age": {"numeric": [0, 1]},
    }
    assert list(grouped(LAYOUT, {})) == ["device", "price_level", "tags", "age", "price"]


def test_only_the_columns_change_and_the_input_does_not():
    arrays = {"numeric": np.arange(6.0).reshape(3, 2), "categorical": np.zeros((3, 1), np.int32)}
    changed = permuted(arrays, {"numeric": [1]}, np.array([2, 0, 1]))
    assert changed["numeric"].tolist() == [[0, 5], [2, 1], [4, 3]] and arrays["numeric"][0, 1] == 1
    assert changed["categorical"] is arrays["categorical"]


def test_more_examples_than_the_limit_are_drawn(monkeypatch):
    monkeypatch.setattr(module, "EXAMPLES", 100)
    columns = split(300)
    found = importance(Known(columns), LAYOUT, columns, COLUMNS, seed=7, batch_size=64)
    assert found["examples"] == 100
    assert found == importance(Known(columns), LAYOUT, columns, COLUMNS, seed=7, batch_size=33)
    assert found != importance(Known(columns), LAYOUT, columns, COLUMNS, seed=8, batch_size=64)


def test_groups_are_drawn_whole():
    groups = np.random.default_rng(0).integers(0, 40, 300).astype(np.int32)
    chosen = draw(split(300, groups=groups), 100, np.random.default_rng(0))
    assert len(chosen) == 100 and (np.diff(chosen) > 0).all()
    cut = [group for group in set(groups[chosen]) if (groups == group).sum() != (groups[chosen] == group).sum()]
    assert len(cut) <= 1


def test_beyond_the_budget_nothing_is_computed(monkeypatch, caplog):
    columns = split(300)
    monkeypatch.setattr(module, "BUDGET", 4 * 2 * 300)
    model = Known(columns)
    assert importance(model, LAYOUT, columns, COLUMNS, seed=7, batch_size=300)
    monkeypatch.setattr(module, "BUDGET", 4 * 2 * 300 - 1)
    with caplog.at_level(logging.INFO):
        assert importance(model, LAYOUT, columns, COLUMNS, seed=7, batch_size=300) == {}
    assert "4 columns x 2 repeats x 300 examples are more than 2399 predictions" in caplog.text


def test_a_task_without_observed_examples_is_left_out():
    columns = split(50)
    columns.weights[:, 1] = 0
    found = importance(Known(split(50)), LAYOUT, columns, COLUMNS, seed=1, batch_size=50)
    assert all(set(of_column) == {"click"} for of_column in found["rises"].values())


def test_a_loss_that_can_be_negative_is_not_divided():
    columns = split(50)
    model = Known(columns)
    divided = importance(model, LAYOUT, columns, COLUMNS, seed=1, batch_size=50)["rises"]["age"]["click"]
    constant = constant_loss(
        model.loss_functions[0], model.scales.best_constants[0], columns.labels[:, 0], columns.weights[:, 0]
    )
    binary = model.loss_functions[0]
    negative = SimpleNamespace(negative=True, outputs=1, within_group=False, value=binary.value)
    negative.above, negative.at_least = binary.above, binary.at_least
    model.loss_functions[0] = negative
    plain = importance(model, LAYOUT, columns, COLUMNS, seed=1, batch_size=50)["rises"]["age"]["click"]
    assert plain == pytest.approx([rise * constant for rise in divided])
