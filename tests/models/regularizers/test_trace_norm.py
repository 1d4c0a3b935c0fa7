import numpy as np
import pytest
import tensorflow as tf
from planted_tasks import error, fit

from models.recipe.errors import InputError
from models.regularizers.trace_norm import TraceNorm


def test_by_hand():
    # Orthogonal rows of lengths 3 and 4, and the row (1, 2) and its double: length 5 together.
    first, second = tf.constant([[[3.0], [0.0]], [[0.0], [4.0]]]), tf.constant([[[1.0], [2.0]], [[2.0], [4.0]]])
    assert float(TraceNorm(strength=2.0).call([first, second], ("a", "b"))) == pytest.approx(2 * 12, rel=2e-3)


def test_one_direction_of_many_tasks_is_recovered():
    rng = np.random.default_rng(6)
    planted = np.outer(rng.normal(size=8), rng.normal(size=10))
    tasks = tuple("abcdefgh")
    alone, together = fit(None, planted, tasks, examples=14), fit(TraceNorm(strength=1.0), planted, tasks, examples=14)
    assert error(together, planted) < 0.7 * error(alone, planted)
    sizes = [np.linalg.svd(weights, compute_uv=False) for weights in (alone, together)]
    assert sizes[0][2] > 0.1 * sizes[0][0]
    assert sizes[1][2] < 0.05 * sizes[1][0]


def test_refuses_a_negative_strength():
    with pytest.raises(InputError, match="trace_norm: expected a strength of 0 or more, received -1"):
        TraceNorm(strength=-1)
