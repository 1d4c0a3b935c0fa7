"""What every row of EMBEDDING_OPTIMIZERS has to do; a new row is tested by being there."""

import inspect
from typing import get_args

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.embedding_optimizers import EMBEDDING_OPTIMIZERS
from models.embedding_optimizers.base import EmbeddingOptimizer
from models.recipe.errors import InputError
from models.recipe.model import Training
from models.recipe.registry import load, signature, summary

pytestmark = pytest.mark.parametrize("name", EMBEDDING_OPTIMIZERS)

ROWS, DIM = 7, 3
KERAS = {"adam": keras.optimizers.Adam, "adagrad": keras.optimizers.Adagrad, "sgd": keras.optimizers.SGD}


class Tables:
    """Tables and their optimizer."""

    def __init__(self, name, shapes=((ROWS, DIM),), jit_compile=False, rate=0.1):
        self.optimizer = load(EMBEDDING_OPTIMIZERS[name])(learning_rate=rate)
        self.optimizer.build(shapes)
        random = np.random.default_rng(1)
        self.tables = [keras.Variable(random.normal(size=shape), dtype="float32") for shape in shapes]
        self.call = tf.function(self._step, jit_compile=True) if jit_compile else self._step

    def _step(self, ids, gradients, step):
        distinct = self.optimizer.distinct(ids)
        for i, (table, gradient) in enumerate(zip(self.tables, gradients, strict=True)):
            self.optimizer.apply(table, i, distinct[i], distinct[i].sums(gradient), step)

    def step(self, ids, gradients, step=1):
        """ids: (batch, position) for each table; gradients: (batch * position, dim) for each table."""
        self.call(
            [tf.constant(one, tf.int32) for one in ids],
            [tf.constant(one, tf.float32) for one in gradients],
            tf.constant(float(step)),
        )

    def numpy(self):
        return [table.numpy() for table in self.tables] + [state.numpy() for state in self.optimizer.states]


def gradients(count, dim=DIM, seed=2):
    return np.random.default_rng(seed).normal(size=(count, dim)).astype("float32")


def test_a_batch_that_reads_every_row_once_is_a_step_of_keras_own(name):
    """Of a table of width 1, where row-wise is element-wise; padding, row 0, is read with a gradient of 0."""
    tables = Tables(name, shapes=((ROWS, 1),))
    dense, own = KERAS[name](0.1), keras.Variable(tables.tables[0].numpy())
    for step in (1, 2, 3):
        order = np.random.default_rng(step).permutation(ROWS)
        gradient = gradients(ROWS, 1, seed=step)
        gradient[order == 0] = 0
        tables.step([order[None]], [gradient], step)
        dense.apply([tf.constant(gradient[np.argsort(order)])], [own])
        np.testing.assert_allclose(tables.tables[0].numpy(), own.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_row_that_is_read_several_times_moves_once_by_the_sum(name, jit_compile):
    several, once = Tables(name, jit_compile=jit_compile), Tables(name)
    for step in (1, 2):
        gradient = gradients(6, seed=step)
        gradient[5] = 0  # padding
        several.step([[[3, 1, 3], [6, 3, 0]]], [gradient], step)
        sums = [gradient[[0, 2, 4]].sum(axis=0), gradient[1], gradient[3]]
        once.step([[[3], [1], [6]]], [np.stack(sums)], step)
    for a, b in zip(several.numpy(), once.numpy(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_other_rows_and_padding_stay(name):
    tables = Tables(name)
    before = tables.numpy()
    gradient = gradients(4)
    gradient[[1, 3]] = 0  # padding
    for step in (1, 2):
        tables.step([[[4, 0], [2, 0]]], [gradient], step)
    for a, b in zip(before, tables.numpy(), strict=True):
        np.testing.assert_array_equal(np.delete(a, [2, 4], axis=0), np.delete(b, [2, 4], axis=0))
    assert (before[0][[2, 4]] != tables.numpy()[0][[2, 4]]).all()


def test_each_table_has_its_own_state(name):
    both = Tables(name, shapes=((ROWS, DIM), (4, 2)))
    alone = Tables(name)
    for step in (1, 2):
        both.step([[[1, 2]], [[3, 3]]], [gradients(2), gradients(2, 2)], step)
        alone.step([[[1, 2]]], [gradients(2)], step)
    np.testing.assert_array_equal(both.tables[0].numpy(), alone.tables[0].numpy())


def test_under_jit_compile(name):
    eager, compiled = Tables(name), Tables(name, jit_compile=True)
    for step in (1, 2, 3):
        ids = np.random.default_rng(step).integers(1, ROWS, (5, 2))
        for tables in (eager, compiled):
            tables.step([ids], [gradients(10, seed=step)], step)
    for a, b in zip(eager.numpy(), compiled.numpy(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_no_rows_at_all(name):
    tables = Tables(name)
    before = tables.numpy()
    tables.step([np.zeros((0, 2))], [np.zeros((0, DIM))])
    for a, b in zip(before, tables.numpy(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_state_is_saved_with_the_layer_and_is_not_trainable(name):
    tables = Tables(name)
    tables.step([[[1, 2]]], [gradients(2)])
    assert not tables.optimizer.trainable_variables
    store: dict = {}
    tables.optimizer.save_own_variables(store)
    again = Tables(name)
    again.optimizer.load_own_variables(store)
    for a, b in zip(tables.optimizer.states, again.optimizer.states, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_config_round_trip(name):
    optimizer = load(EMBEDDING_OPTIMIZERS[name])(learning_rate=0.3)
    config = optimizer.get_config()
    expected = {key: default for key, (_, default) in signature(EMBEDDING_OPTIMIZERS[name]).items()}
    assert {key: config[key] for key in expected} == {**expected, "learning_rate": 0.3}
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(optimizer))
    assert again.get_config() == config


def test_is_documented_and_its_options_can_be_read(name):
    path = EMBEDDING_OPTIMIZERS[name]
    assert summary(path).endswith(".")
    assert issubclass(load(path), EmbeddingOptimizer)
    parameters = inspect.signature(load(path).__init__).parameters.values()
    keyword_only = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
    assert {key: default for key, (_, default) in signature(path).items()} == keyword_only


def test_refuses_a_rate_that_moves_nothing(name):
    with pytest.raises(InputError, match="expected a learning_rate above 0, received 0"):
        load(EMBEDDING_OPTIMIZERS[name])(learning_rate=0)


def test_is_the_counterpart_of_an_optimizer_of_the_recipe(name):
    assert name in get_args(Training.model_fields["optimizer"].annotation)
