"""Regularizers of the tasks' kernels in the training step."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from tasks import binary

from models.architectures.linear import Linear
from models.architectures.single_task import SingleTask
from models.architectures.task_info import TaskInfo
from models.recipe.errors import InputError
from models.regularizers.block_sparse import BlockSparse
from models.regularizers.clustered import Clustered
from models.regularizers.mean_regularized import MeanRegularized
from models.training.task_matrices import RegularizerLogs, checked_kernels, stacked
from models.training.weight_average import WeightAverage
from tests.models.training.test_multi_task_model import assert_near, copies, data, make, step


@pytest.mark.parametrize("compiling", [{}, {"jit_compile": True}])
def test_the_proximal_step_follows_the_optimizers_step(compiling):
    """The update of a plain model with Adam, then the proximal step; the loss has the term, the gradient has not."""
    proximal = BlockSparse(strength=1.5)
    plain, sparse = (
        make("linear", optimizer=keras.optimizers.Adam(0.2), regularizers=regularizers, **compiling)
        for regularizers in ([], [proximal])
    )
    before = stacked(sparse.architecture.task_kernels())
    losses = [step(model, data())["loss"] for model in (plain, sparse)]
    expected = [proximal.proximal(stack, 0.2) for stack in stacked(plain.architecture.task_kernels())]
    assert_near(stacked(sparse.architecture.task_kernels()), expected)
    assert np.all([np.any(stack != 0) for stack in stacked(plain.architecture.task_kernels())])
    assert losses[1] - losses[0] == pytest.approx(float(proximal.call(before, sparse.tasks)), rel=1e-4)


@pytest.mark.parametrize(
    ("regularizer", "expected"), [(BlockSparse(strength=1e3), {"zeroed_rows": [1.0]}), (MeanRegularized(), {})]
)
def test_the_history_has_the_share_of_zeroed_rows(regularizer, expected):
    model = make("linear", regularizers=[regularizer])
    batches = tf.data.Dataset.from_tensors(data())
    history = model.fit(
        batches, validation_data=batches, callbacks=[RegularizerLogs()], shuffle=False, verbose=0
    ).history
    assert {name: values for name, values in history.items() if "loss" not in name} == expected


def test_a_term_with_a_gradient_draws_the_towers_together():
    model = make("single_task", regularizers=[MeanRegularized(strength=2.0)])
    plain = make("single_task")
    before = stacked(model.architecture.task_kernels())
    assert len(before) == 1 + 2  # a layer of the networks, and the two of the towers
    for each in (plain, model):
        step(each, data())
    pairs = zip(before, *(stacked(each.architecture.task_kernels()) for each in (plain, model)), strict=True)
    for old, without, with_term in pairs:
        away = old - tf.reduce_mean(old, axis=0)
        np.testing.assert_allclose(with_term, without - 0.1 * 2.0 * 2.0 * away, rtol=1e-4, atol=1e-5)


def test_clusters_by_the_names_of_tasks():
    model = make("linear", regularizers=[Clustered(clusters=(("click", "amount"),), between=0.0, within=2.0)])
    plain = make("linear")
    (before,) = stacked(model.architecture.task_kernels())
    for each in (plain, model):
        step(each, data())
    (without,), (with_term,) = (stacked(each.architecture.task_kernels()) for each in (plain, model))
    away = (before[0] - before[2]) / 2
    np.testing.assert_allclose(with_term - without, [-0.4 * away, 0 * away, 0.4 * away], rtol=1e-3, atol=1e-5)


def test_layers_of_unequal_shapes_are_left_out():
    tasks = (TaskInfo(name="click"), TaskInfo(name="value", kind="regression", outputs=3))
    made = SingleTask(tasks, units=(4,), tower_units=(3,))
    made.build(type("Shapes", (), {"x": (None, 5)})())
    assert [kernels[0].shape for kernels in checked_kernels(made)] == [(5, 4), (4, 3)]


def test_refuses_an_architecture_without_such_layers():
    tasks = (TaskInfo(name="click"), TaskInfo(name="value", kind="regression", outputs=3))
    made = Linear(tasks)
    made.build(type("Shapes", (), {"x": (None, 5)})())
    with pytest.raises(InputError, match="each task of the architecture Linear has of its own, received none"):
        checked_kernels(made)
    one_short = Linear(binary("a", "b"))
    one_short.task_kernels = lambda: [[keras.Variable(np.ones((2, 1)))]]
    with pytest.raises(
        InputError, match=r"one kernel for each of 2 tasks, all of one shape, received the shapes \[\(2, 1\)\]"
    ):
        checked_kernels(one_short)
    with pytest.raises(InputError, match="received none"):
        made_model = make("linear", regularizers=[MeanRegularized()])
        made_model.architecture.task_kernels = list
        made_model.build()


def test_the_average_of_a_zeroed_weight_is_zero():
    variable = keras.Variable(np.float32([1.0, 2.0]))
    average = WeightAverage()
    average.build([(2,)])
    average.update([variable])
    variable.assign(np.float32([0.0, 4.0]))
    average.update([variable])
    # a_2 = 9 / 10
    np.testing.assert_allclose(copies(average.averages)[0], [0.0, 2.0 + 0.9 * 2.0], rtol=1e-6)
