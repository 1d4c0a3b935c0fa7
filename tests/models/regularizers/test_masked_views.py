"""MaskedViews, by hand."""

import math

import numpy as np
import pytest
import tensorflow as tf

from models.recipe.errors import InputError
from models.regularizers.masked_views import MaskedViews


def test_by_hand():
    """Two examples, the cosines (1, 0) and (0.6, 0.8) between their views."""
    first, second = tf.constant([[2.0, 0.0], [0.0, 5.0]]), tf.constant([[3.0, 0.0], [0.6, 0.8]])
    # s = [[1, 0.6], [0, 0.8]]; the views of example i are s_ii.
    expected = (math.log1p(math.exp((0.6 - 1.0) / 0.5)) + math.log1p(math.exp((0.0 - 0.8) / 0.5))) / 2
    cost = MaskedViews(strength=3.0, temperature=0.5).call(first, second)
    assert float(cost) == pytest.approx(3.0 * expected, rel=1e-6)


def test_the_length_of_a_representation_does_not_count_and_half_precision_does_not_matter():
    views = np.random.default_rng(0).normal(size=(2, 16, 4)).astype("float32")
    cost = MaskedViews().call(*views)
    assert float(MaskedViews().call(views[0] * 100, views[1] / 100)) == pytest.approx(float(cost), rel=1e-5)
    half = MaskedViews().call(*(tf.cast(view, "bfloat16") for view in views))
    assert half.dtype == "float32"
    assert float(half) == pytest.approx(float(cost), rel=0.02)


def test_a_representation_of_zeros_has_a_finite_gradient():
    zeros = tf.Variable(tf.zeros((3, 2)))
    with tf.GradientTape() as tape:
        cost = MaskedViews().call(zeros, zeros)
    assert np.isfinite(tape.gradient(cost, zeros)).all()


def test_refuses_a_negative_strength():
    with pytest.raises(InputError, match="masked_views.strength: expected a strength of 0 or more, received -1"):
        MaskedViews(strength=-1.0)
