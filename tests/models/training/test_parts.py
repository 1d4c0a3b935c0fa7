"""Adversaries and views in a step: what moves by which gradient, under both types of balancer."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from tasks import binary

from models.architectures.base import REPRESENTATION
from models.architectures.mmoe import MMoE
from models.architectures.shared_bottom import SharedBottom
from models.balancing import BALANCERS
from models.embedding_optimizers.sgd import SGD
from models.layers.adversaries import Adversaries
from models.layers.feature_encoder import FeatureEncoder
from models.recipe.errors import InputError
from models.recipe.registry import load
from models.regularizers.masked_views import MaskedViews
from models.training.multi_task_model import MultiTaskModel

LOSSES = {"device": "binary_crossentropy", "click": "binary_crossentropy"}
RATE, FACTOR, WEIGHT = 0.1, 0.5, 2.0


class Silent(SharedBottom):
    """Returns no representation."""

    def call(self, inputs, training=None):
        return {name: tower(inputs.x) for name, tower in zip(self.names, self.towers, strict=True)}


def make(balancer="fixed", regularizers=(), kind=MMoE):
    keras.utils.set_random_seed(1)
    options = {"experts": 2, "units": (4,), "tower_units": (3,)} if kind is MMoE else {"units": ()}
    model = MultiTaskModel(
        FeatureEncoder({"item": (6, 2)}, {"item": "item"}, numeric=("a", "b", "c")),
        kind(binary("click"), represents=True, **options),
        load(BALANCERS[balancer])(("click",), (WEIGHT,)),
        LOSSES,
        regularizers,
        SGD(learning_rate=RATE),
        adversaries=Adversaries({"device": 1}, [FACTOR]),
    )
    model.build()
    model.compile(keras.optimizers.SGD(RATE), run_eagerly=True)
    return model


def data():
    random = np.random.default_rng(0)
    features = {
        "categorical": random.integers(0, 6, (16, 1)).astype("int32"),
        "numeric": random.normal(size=(16, 3)).astype("float32"),
    }
    labels = random.integers(0, 2, (16, 2)).astype("float32")
    weights = np.ones((16, 2), "float32")
    weights[:5, 0] = 0.0
    return features, labels, weights


def everything(model):
    """What training moves: the dense variables and the tables."""
    return [*model.trainable_variables, *model.encoder.embeddings]


def cross_entropy(logits, labels, weights):
    values = tf.nn.sigmoid_cross_entropy_with_logits(labels, logits)
    return tf.reduce_sum(values * weights) / tf.reduce_sum(weights)


@pytest.mark.parametrize("balancer", ["fixed", "pcgrad"])
def test_the_network_ascends_the_adversary_s_loss_and_the_adversary_descends_it(balancer):
    model, (features, labels, weights) = make(balancer), data()
    network, tower = model.architecture.trainable_variables, model.adversaries.towers[0]
    with tf.GradientTape(persistent=True) as tape:
        outputs = model.architecture(model.encode(features))
        main = cross_entropy(outputs["click"], labels[:, 1], weights[:, 1])
        own = cross_entropy(tower(outputs[REPRESENTATION]), labels[:, 0], weights[:, 0])
        of_network = WEIGHT * main - FACTOR * own
        of_tower = FACTOR * own
    expected = [
        variable.numpy() - RATE * tf.convert_to_tensor(tape.gradient(total, variable.value)).numpy()
        for total, variables in ((of_network, network), (of_tower, tower.trainable_variables))
        for variable in variables
    ]
    logs = model.train_on_batch(features, labels, weights, return_dict=True)
    for variable, value in zip([*network, *tower.trainable_variables], expected, strict=True):
        np.testing.assert_allclose(variable.numpy(), value, rtol=1e-4, atol=1e-6)
    assert logs["click_loss"] == pytest.approx(float(main), rel=1e-5)
    assert logs["device_loss"] == pytest.approx(float(own), rel=1e-5)
    assert set(model.predictions(features)) == {"click"}


def test_both_types_of_balancer_make_the_same_step_of_adversary_and_views():
    fixed, combined = (make(balancer, [MaskedViews(strength=1.0, masked=0.5)]) for balancer in ("fixed", "pcgrad"))
    plain = make()
    for model in (combined, plain):
        for own, of_fixed in zip(everything(model), everything(fixed), strict=True):
            own.assign(of_fixed)
    combined.masks[0].seed_generator.state.assign(fixed.masks[0].seed_generator.state)
    for model in (fixed, combined, plain):
        model.train_on_batch(*data())
    after, others, without = ([one.numpy() for one in everything(model)] for model in (fixed, combined, plain))
    for one, other in zip(after, others, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    assert not all(np.allclose(one, other) for one, other in zip(after, without, strict=True)), "the views move nothing"


def test_the_validation_loss_is_of_the_main_tasks():
    model, (features, labels, weights) = make(), data()
    logs = model.test_on_batch(features, labels, weights, return_dict=True)
    assert logs["loss"] == pytest.approx(WEIGHT * logs["click_loss"], rel=1e-6)


def test_save_and_load(tmp_path):
    model, (features, _, _) = make(), data()
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    for task, logits in model(features).items():
        np.testing.assert_array_equal(again(features)[task], logits)


def test_an_architecture_without_a_representation_is_refused():
    with pytest.raises(
        InputError, match=r"Silent: adversarial tasks, .* End `call` with `return self.outputs\(logits, read\)`"
    ):
        make(kind=Silent)


def test_the_order_of_the_losses_is_that_of_the_label_columns():
    with pytest.raises(
        ValueError, match=r"balancer for \('click',\), losses for \('click',\).*adversaries \('device',\)"
    ):
        MultiTaskModel(
            FeatureEncoder({}, numeric=("a",)),
            MMoE(binary("click"), represents=True),
            load(BALANCERS["fixed"])(("click",), (1.0,)),
            {"click": "binary_crossentropy"},
            adversaries=Adversaries({"device": 1}, [1.0]),
        )
