"""Gradients that are combined at the encoded features: what lies below gets the combination, the architecture the plain sum."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from tasks import binary

from models.architectures.encoded import Wants
from models.architectures.shared_bottom import SharedBottom
from models.architectures.stem import STEM
from models.backbones.dcn_v2 import DCNv2
from models.backbones.none import NoBackbone
from models.balancing.base import GradientCombiner
from models.balancing.fixed import Fixed
from models.balancing.gradnorm import GradNorm
from models.balancing.mgda import MGDA
from models.embedding_optimizers.sgd import SGD
from models.layers.feature_encoder import FeatureEncoder
from models.training.multi_task_model import MultiTaskModel

TASKS, WEIGHTS = ("click", "cart"), (1.0, 2.0)
FEATURES = {
    "categorical": np.array([[1], [2], [3], [1]], "int32"),
    "multivalued/tags": np.array([[1, 2, -1], [2, -1, -1], [3, 1, 2], [1, 1, 1]], "int32"),
    "numeric": np.float32([[1, 0.5], [0, 1], [-1, 2], [0.3, 0.3]]),
}
LABELS = np.float32([[1, 0], [0, 0], [1, 1], [0, 1]])
OBSERVED = np.float32([[1, 1], [1, 0], [1, 1], [1, 1]])


class Sum(GradientCombiner):
    """The plain sum."""

    def combine(self, evidence: Any) -> Any:
        return tf.reduce_sum(evidence.gradients, axis=0)


class ReadsAll(SharedBottom):
    """Reads x, a feature for itself and an unpooled list."""

    def wants(self) -> Wants:
        return Wants(parts=("item",), rows=("tags",))

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        more = inputs.parts["item"][:, 0] * inputs.rows["tags"][0][:, 0, 1]
        return {
            task: logits + (i + 1) * more for i, (task, logits) in enumerate(super().call(inputs, training).items())
        }


def made(balancer: Any, backbone: Any = NoBackbone, architecture: Any = ReadsAll, **compiling: Any) -> MultiTaskModel:
    keras.utils.set_random_seed(1)
    network = architecture(binary(*TASKS), dropout=0.0)
    copies = 1 + len(TASKS) if network.wants().tables_by_task else 1
    model = MultiTaskModel(
        FeatureEncoder(
            {"item": (5, 2), "tag": (5, 2)}, {"item": "item"}, {"tags": ("tag", "sum")}, ("age", "hour"), copies=copies
        ),
        network,
        balancer,
        dict.fromkeys(TASKS, "binary_crossentropy"),
        embedding_optimizer=SGD(learning_rate=0.1),
        backbone=backbone(),
    )
    model.build()
    model.compile(keras.optimizers.SGD(0.1), **(compiling or {"run_eagerly": True}))
    return model


def variables_of(model: MultiTaskModel) -> list[Any]:
    return [*model.trainable_variables, *model.encoder.embeddings]


def trained(model: MultiTaskModel) -> list[np.ndarray]:
    model.train_on_batch(FEATURES, LABELS, OBSERVED)
    return [np.array(variable) for variable in variables_of(model)]


@pytest.mark.parametrize("architecture", [ReadsAll, STEM])
@pytest.mark.parametrize("backbone", [NoBackbone, DCNv2])
def test_a_combiner_that_sums_makes_the_plain_step(backbone: Any, architecture: Any) -> None:
    """Every path from the rows to the losses is seen once: x, parts, lists and the tables of the tasks."""
    plain = trained(made(Fixed(TASKS, WEIGHTS), backbone, architecture))
    summed = trained(made(Sum(TASKS, WEIGHTS, over="encoded"), backbone, architecture))
    for one, other in zip(plain, summed, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def by_hand(model: MultiTaskModel) -> tuple[list[list[Any]], np.ndarray]:
    """The gradients of w_t L_t of each task: for the variables, and flat at x (task, number)."""
    own, at_x = [], []
    for i, task in enumerate(TASKS):
        seen = OBSERVED[:, i] > 0
        with tf.GradientTape(persistent=True) as tape:
            tape.watch([table.value for table in model.encoder.embeddings])
            inputs = model.encode(FEATURES)
            logits = model.logits(model.architecture(inputs))[task]
            each = tf.nn.sigmoid_cross_entropy_with_logits(LABELS[:, i], logits)
            loss = WEIGHTS[i] * tf.reduce_mean(tf.boolean_mask(each, seen))
        own.append(tape.gradient(loss, variables_of(model)))
        at_x.append(tf.reshape(tape.gradient(loss, inputs.x), (-1,)).numpy())
    return own, np.stack(at_x)


def test_by_hand() -> None:
    """MGDA of two tasks at x, through DCN V2: the architecture moves by the sum of the losses, all else by the combination."""
    model = made(MGDA(TASKS, WEIGHTS, over="encoded"), DCNv2, SharedBottom)
    before = [np.array(variable) for variable in variables_of(model)]
    own, (one, other) = by_hand(model)
    share = np.clip((other @ other - one @ other) / np.sum((one - other) ** 2), 0, 1)
    assert 0.02 < share < 0.98
    combined = 2 * (share * one + (1 - share) * other)
    below = [*model.backbone.trainable_variables, *model.encoder.embeddings]
    with tf.GradientTape() as tape:
        tape.watch([table.value for table in model.encoder.embeddings])
        x = model.encode(FEATURES).x
    of_below = tape.gradient(x, below, tf.reshape(combined.astype("float32"), x.shape))
    expected = {
        id(variable): tf.convert_to_tensor(gradient) for variable, gradient in zip(below, of_below, strict=True)
    }
    after = trained(model)
    for place, variable in enumerate(variables_of(model)):
        plain = [np.asarray(of_task[place]) for of_task in own if of_task[place] is not None]
        gradient = expected[id(variable)].numpy() if id(variable) in expected else sum(plain)
        np.testing.assert_allclose(after[place], before[place] - 0.1 * gradient, rtol=1e-4, atol=1e-5)


def test_compiled_is_as_eager() -> None:
    eager = trained(made(MGDA(TASKS, WEIGHTS, over="encoded")))
    compiled = trained(made(MGDA(TASKS, WEIGHTS, over="encoded"), jit_compile=True))
    for one, other in zip(eager, compiled, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_a_weighting_sees_the_gradients_of_the_features() -> None:
    class Keeps(GradNorm):
        def weigh(self, evidence: Any) -> Any:
            self.seen = np.asarray(evidence.gradients)
            return super().weigh(evidence)

    balancer = Keeps(TASKS, WEIGHTS, over="encoded")
    model = made(balancer, architecture=SharedBottom)
    expected = by_hand(model)[1] / np.array(WEIGHTS)[:, None]
    trained(model)
    np.testing.assert_allclose(balancer.seen, expected, rtol=1e-4, atol=1e-6)


def test_first_bad_step_names_the_task() -> None:
    model = made(Sum(TASKS, WEIGHTS, over="encoded"))
    tower = model.architecture.towers[1]
    tower.set_weights([np.full_like(weight, np.nan) for weight in tower.get_weights()])
    trained(model)
    assert model.first_bad_step() == {"cart": 0}


def test_the_place_is_kept_in_a_file(tmp_path: Any) -> None:
    model = made(MGDA(TASKS, WEIGHTS, over="encoded"), architecture=SharedBottom)
    model.save(tmp_path / "model.keras")
    assert keras.saving.load_model(tmp_path / "model.keras").balancer.over == "encoded"
