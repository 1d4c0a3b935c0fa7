"""The affinities between tasks: against real steps, without a trace in the model, in a training, and planted ones."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.architectures.shared_bottom import SharedBottom
from models.architectures.task_info import TaskInfo
from models.balancing.fixed import Fixed
from models.embedding_optimizers.lazy_adam import LazyAdam
from models.layers.feature_encoder import FeatureEncoder
from models.training.affinity import affinity_hook, lookahead
from models.training.affinity_sums import AffinitySums
from models.training.multi_task_model import MultiTaskModel
from pipeline.task_groups import Group, best_groups

TASKS = ("click", "cart", "order", "amount")


def make(losses, units=(8,), dropout=0.0, rate=0.05, table_rate=0.5, jit_compile=False):
    tasks = tuple(TaskInfo(name=name) for name in losses)
    model = MultiTaskModel(
        FeatureEncoder({"item": (12, 2)}, {"item": "item", "last": "item"}, numeric=tuple("abcd")),
        SharedBottom(tasks, units=units, tower_units=(), dropout=dropout),
        Fixed(tuple(losses), (1.0,) * len(losses)),
        losses,
        embedding_optimizer=LazyAdam(learning_rate=table_rate),
    )
    model.build()
    model.compile(optimizer=keras.optimizers.Adam(rate), jit_compile=jit_compile)
    model.optimizer.build(model.trainable_variables)
    return model


def examples(rows, tasks, seed=0):
    rng = np.random.default_rng(seed)
    features = {
        "categorical": rng.integers(0, 6, (rows, 2)).astype("int32"),
        "numeric": rng.normal(size=(rows, 4)).astype("float32"),
    }
    return features, (rng.random((rows, tasks)) < 0.4).astype("float32"), np.ones((rows, tasks), "float32")


def as_tensors(batch):
    features, labels, weights = batch
    return {name: tf.constant(array) for name, array in features.items()}, tf.constant(labels), tf.constant(weights)


def states(model):
    """All that a training could see: variables of the model, of its optimizer and of its metrics."""
    return [np.array(v.numpy()) for v in (*model.variables, *model.optimizer.variables, *model.metrics_variables)]


def test_the_affinities_are_those_of_real_steps():
    keras.utils.set_random_seed(3)
    losses = dict(zip(TASKS[:3], ("binary_crossentropy", "binary_crossentropy", "squared_error"), strict=True))
    model, batch = make(losses, jit_compile=True), examples(64, 3)
    features, labels, weights = as_tensors(batch)
    measure = lookahead(model)
    affinity, counted = measure(features, labels, weights)
    assert counted.numpy().all()

    def by_hand():
        logits = model(features)
        each = [tf.nn.sigmoid_cross_entropy_with_logits(labels[:, i], logits[t]) for i, t in enumerate(TASKS[:2])]
        return [*map(tf.reduce_mean, each), tf.reduce_mean((logits["order"] - labels[:, 2]) ** 2)]

    shared = model.architecture.bottom.trainable_variables
    tables = model.encoder.embeddings
    before = [float(loss) for loss in by_hand()]
    for i in range(3):
        with tf.GradientTape() as tape:
            tape.watch([table.value for table in tables])
            loss = by_hand()[i]
        moves = tape.gradient(loss, [*(v.value for v in shared), *(t.value for t in tables)])
        kept = [np.array(v.numpy()) for v in (*shared, *tables)]
        for place, (variable, gradient) in enumerate(zip((*shared, *tables), moves, strict=True)):
            rate = 0.05 if place < len(shared) else 0.5
            variable.assign(variable - rate * tf.convert_to_tensor(gradient))
        after = [float(loss) for loss in by_hand()]
        for variable, value in zip((*shared, *tables), kept, strict=True):
            variable.assign(value)
        expected = [1 - new / old for new, old in zip(after, before, strict=True)]
        np.testing.assert_allclose(affinity[i], expected, rtol=1e-3, atol=2e-6)
    assert abs(affinity.numpy()).min() > 1e-5
    measure(*as_tensors(examples(64, 3, seed=1)))
    assert measure.experimental_get_tracing_count() == 1


def test_nothing_of_the_model_changes_and_unobserved_tasks_do_not_count():
    model = make(dict.fromkeys(TASKS[:3], "binary_crossentropy"), dropout=0.5)
    features, labels, weights = examples(32, 3)
    weights[:, 1] = 0.0
    labels[:, 1] = np.nan
    measure, before = lookahead(model), states(model)
    first = measure(*as_tensors((features, labels, weights)))
    second = measure(*as_tensors((features, labels, weights)))
    for one, other in zip(before, states(model), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(first[0], second[0], "the same dropout masks")
    assert first[1].numpy().tolist() == [[True, False, True], [False] * 3, [True, False, True]]
    assert np.isfinite(first[0].numpy()[first[1].numpy()]).all()


@pytest.mark.parametrize("seed", [1, 2])
def test_two_planted_clusters_are_found(seed):
    """The tasks a and b want one function of the features, c, d and e another of other features; labels have noise of their own."""
    losses = dict.fromkeys("abcde", "binary_crossentropy")
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    features, _, weights = examples(2048, 5, seed)
    cluster, size = np.array([0, 0, 1, 1, 1]), np.abs(features["numeric"])
    signals = np.stack([size[:, 0] + size[:, 1], size[:, 2] + size[:, 3]], axis=1) - 1.6
    labels = (2 * signals[:, cluster] + 0.1 * rng.logistic(size=(2048, 5)) > 0).astype("float32")
    model = make(losses, units=(32,), rate=0.01, table_rate=0.001)

    def batch_of(step):
        part = slice(256 * (step % 8), 256 * (step % 8) + 256)
        return {name: array[part] for name, array in features.items()}, labels[part], weights[part]

    hook = affinity_hook(model, 8, batch_of).starts(AffinitySums(), 0)
    hook.set_model(model)
    hook.on_train_begin()
    for step in range(96):
        hook.on_train_batch_begin(step)
        model.train_on_batch(*batch_of(step))
    found = hook.sums.means(tuple(losses))
    assert {number for onto in found["samples"].values() for number in onto.values()} == {12}
    matrix = np.array([[found["means"][b][a] for a in losses] for b in losses])
    same = cluster[:, None] == cluster[None, :]
    assert matrix[same & ~np.eye(5, dtype=bool)].min() > matrix[~same].max()
    assert best_groups(found["means"], 2) == (Group(("a", "b"), ("a", "b")), Group(("c", "d", "e"), ("c", "d", "e")))
