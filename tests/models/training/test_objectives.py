"""Objectives in the training step of a model."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.architectures import ARCHITECTURES
from models.architectures.task_info import TaskInfo
from models.balancing import BALANCERS
from models.embedding_optimizers.sgd import SGD
from models.layers.feature_encoder import FeatureEncoder
from models.objectives.base import Given
from models.recipe.registry import load
from models.training.multi_task_model import MultiTaskModel
from models.training.objectives import EffectiveShare, Objectives

FUNNEL = {"order": ("click",)}
TASKS = (TaskInfo(name="click"), TaskInfo(name="order", after="click", conditional=True))


def data(rows=64):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 3)).astype("float32")
    clicks = rng.random(rows) < 1 / (1 + np.exp(-x[:, 0]))
    orders = clicks & (rng.random(rows) < 1 / (1 + np.exp(-x[:, 0])))
    labels = np.stack([clicks, np.where(clicks, orders, np.nan)], axis=1).astype("float32")
    return {"numeric": x}, labels, np.stack([np.ones(rows), clicks], axis=1).astype("float32")


def make(name, options=None, *, architecture="shared_bottom", balancer="fixed", policy="float32", **compiling):
    keras.utils.set_random_seed(1)
    dtype = keras.DTypePolicy(policy)
    objectives = Objectives({"order": name}, {"order": options or {}}, FUNNEL, dtype=dtype) if name else None
    network = load(ARCHITECTURES[architecture])(TASKS, represents=bool(objectives and objectives.towers), dtype=dtype)
    model = MultiTaskModel(
        FeatureEncoder({}, {}, numeric=("a", "b", "c"), dtype=dtype),
        network,
        load(BALANCERS[balancer])(("click", "order"), (1.0, 1.0)),
        {"click": "binary_crossentropy", "order": "binary_crossentropy"},
        embedding_optimizer=SGD(learning_rate=0.1),
        objectives=objectives,
    )
    model.build()
    model.compile(keras.optimizers.SGD(0.1), run_eagerly=not compiling, **compiling)
    return model


ROWS = [("esmm", {}), ("escm2", {"risk": "dr", "global_weight": 0.1}), ("dcmt", {})]


@pytest.mark.parametrize(("name", "options"), ROWS, ids=[name for name, _ in ROWS])
@pytest.mark.parametrize(("balancer", "policy"), [("pcgrad", "float32"), ("multibalance", "mixed_bfloat16")])
def test_trains_under_a_combiner_and_logs_the_share(name, options, balancer, policy):
    model = make(name, options, balancer=balancer, architecture="mmoe", policy=policy)
    before = {variable.path: variable.numpy().copy() for variable in model.trainable_variables}
    logs = model.train_on_batch(*data(), return_dict=True)
    moved = [not np.array_equal(before[variable.path], variable) for variable in model.trainable_variables]
    of_towers = [variable.path for variable in model.objectives.trainable_variables]
    assert all(np.isfinite(list(logs.values()))) and sum(moved) > len(moved) / 2
    assert all(
        not np.array_equal(before[path], after)
        for path, after in zip(of_towers, model.objectives.trainable_variables, strict=True)
        if path.endswith("kernel")
    )
    assert ("effective_share_of_order" in logs) == (name != "esmm")
    if name != "esmm":
        assert 0.0 < logs["effective_share_of_order"] <= 1.0


def test_the_step_is_the_gradient_of_the_objective_by_hand():
    """ESMM in a network with one linear layer per task: the gradient of both cross-entropies, written out."""
    model, (features, labels, weights) = make("esmm", architecture="linear"), data()
    variables = model.trainable_variables
    with tf.GradientTape() as tape:
        logits = model(features)
        click, order = tf.sigmoid(logits["click"]), tf.sigmoid(logits["order"])
        whole = tf.constant(np.where(weights[:, 1] > 0, labels[:, 1], 0.0), tf.float32)
        product = click * order
        loss = -tf.reduce_mean(whole * tf.math.log(product) + (1 - whole) * tf.math.log(1 - product))
        y = tf.constant(labels[:, 0])
        loss -= tf.reduce_mean(y * tf.math.log(click) + (1 - y) * tf.math.log(1 - click))
    expected = [
        before - 0.1 * g for before, g in zip(variables, tape.gradient(loss, [v.value for v in variables]), strict=True)
    ]
    expected = [np.array(one) for one in expected]
    logs = model.train_on_batch(features, labels, weights, return_dict=True)
    for variable, after in zip(model.trainable_variables, expected, strict=True):
        np.testing.assert_allclose(variable, after, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(logs["loss"], loss, rtol=1e-5)


def test_validation_measures_the_own_loss_of_the_task():
    with_, without = make("esmm"), make(None)
    one, other = (model.test_on_batch(*data(), return_dict=True) for model in (with_, without))
    assert one == other


def test_a_model_with_objectives_is_saved_with_them():
    model = make("dcmt", {"prior": 0.5})
    again = MultiTaskModel.from_config(json.loads(json.dumps(model.get_config())))
    assert again.objectives.get_config() == model.objectives.get_config()
    assert again.objectives.by_task["order"].prior == 0.5 and again.architecture.represents


def test_compiles_in_one_trace(monkeypatch):
    model, traces = make("dcmt", jit_compile=True), []
    objective = model.objectives.by_task["order"]
    own = objective.values
    monkeypatch.setattr(objective, "values", lambda *args: traces.append(1) or own(*args))
    for _ in range(2):
        model.train_on_batch(*data())
    assert len(traces) == 1


def test_the_effective_share_of_an_epoch():
    share = EffectiveShare(name="share")
    reached, weights = tf.constant([True, True, False, True]), tf.constant([1.0, 1.0, 1.0, 0.0])
    assert float(share.result()) == 0.0
    share.update_state(tf.constant([1.0, 3.0, 0.0, 9.0]), Given(reached, weights, weights))
    share.update_state(
        tf.constant([2.0, 0.0, 0.0, 0.0]), Given(tf.constant([True, False, False, False]), weights, weights)
    )
    assert float(share.result()) == pytest.approx(36 / (3 * 14))
