import numpy as np
import pytest
import tensorflow as tf
from planted_tasks import error, fit

from models.recipe.errors import InputError
from models.regularizers.mean_regularized import MeanRegularized
from models.regularizers.task_distance import TaskDistance


def test_by_hand():
    first = tf.constant([[[1.0], [2.0]], [[4.0], [6.0]], [[7.0], [10.0]]])  # pairs: 5, 10, 5
    second = tf.constant([[[1.0]], [[1.0]], [[4.0]]])  # pairs: 0, 3, 3
    assert float(TaskDistance(strength=3.0).call([first, second], ("a", "b", "c"))) == pytest.approx(20 + 6)


def test_one_task_costs_nothing():
    assert float(TaskDistance().call([tf.constant([[[3.0]]])], ("a",))) == 0.0


def test_joins_like_tasks_and_leaves_another_apart():
    """The pull of a distant task is bounded; that of the squared distance grows with it."""
    shared = np.random.default_rng(5).normal(size=8)
    planted = np.stack([shared, shared, shared, -20.0 * shared])
    tasks = tuple("abcd")
    alone = fit(None, planted, tasks)
    joined = fit(TaskDistance(strength=4.0), planted, tasks)
    squared = fit(MeanRegularized(strength=0.5), planted, tasks)
    assert np.std(joined[:3], axis=0).max() < 0.3 * np.std(alone[:3], axis=0).max()
    assert error(joined[:3], planted[:3]) < 0.5 * error(squared[:3], planted[:3])


def test_refuses_a_negative_strength():
    with pytest.raises(InputError, match="task_distance: expected a strength of 0 or more, received -1"):
        TaskDistance(strength=-1)
