import numpy as np
import pytest
import tensorflow as tf
from planted_tasks import error, fit

from models.recipe.errors import InputError
from models.regularizers.mean_regularized import MeanRegularized


def test_by_hand():
    # Two layers: means (1, 2) and 4; 1 + 4 + 1 + 4, and 9 + 9.
    first = tf.constant([[[0.0], [0.0]], [[2.0], [4.0]]])
    second = tf.constant([[[1.0]], [[7.0]]])
    assert float(MeanRegularized(strength=2.0).call([first, second], ("a", "b"))) == pytest.approx(2 * (10 + 18))


def test_one_task_costs_nothing():
    assert float(MeanRegularized().call([tf.constant([[[3.0]]])], ("a",))) == 0.0


def test_tasks_with_one_mean_learn_from_each_other():
    planted = np.tile(np.random.default_rng(3).normal(size=8), (6, 1))
    tasks = tuple("abcdef")
    alone, together = fit(None, planted, tasks), fit(MeanRegularized(strength=5.0), planted, tasks)
    assert error(together, planted) < 0.5 * error(alone, planted)
    assert np.std(together, axis=0).max() < 0.2 * np.std(alone, axis=0).max()


def test_refuses_a_negative_strength():
    with pytest.raises(InputError, match="mean_regularized: expected a strength of 0 or more, received -1"):
        MeanRegularized(strength=-1)
