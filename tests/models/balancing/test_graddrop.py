import keras
import numpy as np
import tensorflow as tf

from models.balancing.evidence import Evidence
from models.balancing.graddrop import GradDrop, kept


def reference(gradients, draw, leak):
    """The paper's equations, parameter by parameter."""
    out = np.zeros(gradients.shape[1])
    for p, column in enumerate(gradients.T):
        size = np.abs(column).sum()
        purity = 0.5 * (1 + column.sum() / size) if size else 0.5
        for g in column:
            taken = (purity > draw[p] and g > 0) or (purity < draw[p] and g < 0)
            out[p] += (leak + (1 - leak) * taken) * g
    return out


def test_by_hand():
    # Parameter 0: purity 3 / 4. Parameter 1: the gradients agree. Parameter 2: purity 1 / 2, no gradient of it is 0.
    gradients = tf.constant([[3.0, 1.0, 2.0], [-1.0, 2.0, -2.0]])
    np.testing.assert_allclose(kept(gradients, [0.7, 0.9, 0.6], 0.0), [3, 3, -2])
    np.testing.assert_allclose(kept(gradients, [0.8, 0.1, 0.4], 0.0), [-1, 3, 2])
    np.testing.assert_allclose(kept(gradients, [0.8, 0.1, 0.4], 0.5), [-1 + 1.5, 3, 2 - 1])


def test_against_the_paper():
    rng = np.random.default_rng(0)
    gradients, draw = rng.normal(size=(4, 30)), rng.uniform(size=30)
    gradients[:, 3] = 0
    for leak in (0.0, 0.3, 1.0):
        out = kept(tf.constant(gradients, "float32"), tf.constant(draw, "float32"), leak)
        np.testing.assert_allclose(out, reference(gradients, draw, leak), rtol=1e-4, atol=1e-5)


def test_the_expected_step_has_the_sign_of_the_larger_share():
    """P = 3 / 4 for each of the parameters: the positive gradient, 3, is kept in three of four."""
    keras.utils.set_random_seed(1)
    gradients = tf.repeat([[3.0], [-1.0]], 20_000, axis=1)
    one = GradDrop(("a", "b"), (1.0, 1.0))
    evidence = Evidence(losses=tf.ones(2), observed=tf.ones(2, bool), gradients=gradients)
    first, second = np.asarray(one.combine(evidence)), np.asarray(one.combine(evidence))
    assert set(first) == {3.0, -1.0}
    assert abs(np.mean(first > 0) - 0.75) < 0.02
    assert 0.3 < np.mean(first != second) < 0.45  # 2 * 3 / 4 * 1 / 4
