from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from models.balancing.simplex import projected


@pytest.mark.parametrize(
    ("values", "takes_part", "expected"),
    [
        ([0.2, 0.3, 0.5], [True] * 3, [0.2, 0.3, 0.5]),
        # theta = (0.9 + 0.5 - 1) / 2 = 0.2, above the third value.
        ([0.5, 0.1, 0.9], [True] * 3, [0.3, 0.0, 0.7]),
        ([5.0, 1.0, 1.0], [True] * 3, [1.0, 0.0, 0.0]),
        ([-1.0, -1.0, -1.0], [True] * 3, [1 / 3, 1 / 3, 1 / 3]),
        ([0.5, 9.0, 0.7], [True, False, True], [0.4, 0.0, 0.6]),
        ([0.5, 9.0, 0.7], [False] * 3, [0.0, 0.0, 0.0]),
    ],
)
def test_by_hand(values, takes_part, expected) -> None:
    found = projected(tf.constant(values, tf.float32), tf.constant(takes_part))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_no_other_point_of_the_simplex_is_nearer() -> None:
    rng = np.random.default_rng(0)
    others = rng.dirichlet(np.ones(4), 2_000)
    for values in rng.normal(size=(20, 4)):
        found = np.asarray(projected(tf.constant(values, tf.float32), tf.ones(4, bool)))
        assert found.sum() == pytest.approx(1.0, abs=1e-5)
        assert np.sum((found - values) ** 2) <= np.sum((others - values) ** 2, axis=1).min() + 1e-5
