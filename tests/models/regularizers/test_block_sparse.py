import numpy as np
import pytest
import tensorflow as tf
from planted_tasks import fit

from models.recipe.errors import InputError
from models.regularizers.block_sparse import BlockSparse

# Two tasks, three inputs, one output. Rows of the inputs: (3, 4), (0.3, -0.4), (0, 0).
KERNELS = tf.constant([[[3.0], [0.3], [0.0]], [[4.0], [-0.4], [0.0]]])


def test_terms_by_hand():
    assert float(BlockSparse(strength=2.0).call([KERNELS, KERNELS], ("a", "b"))) == pytest.approx(2 * 2 * (5 + 0.5))
    assert float(BlockSparse(strength=2.0, q="inf").call([KERNELS], ("a", "b"))) == pytest.approx(2 * (4 + 0.4))


def test_proximal_steps_by_hand():
    # Threshold 0.5 * 2 = 1: a row of length 5 becomes 4 / 5 of itself, one of 0.5 becomes 0.
    euclidean = BlockSparse(strength=2.0).proximal(KERNELS, 0.5)
    np.testing.assert_allclose(euclidean, [[[2.4], [0.0], [0.0]], [[3.2], [0.0], [0.0]]], rtol=1e-6)
    # The largest of (3, 4) falls by 1; both of (3, 4) fall to the same height if the threshold is 3: 2 * 2 = 7 - 3.
    largest = BlockSparse(strength=2.0, q="inf")
    np.testing.assert_allclose(largest.proximal(KERNELS, 0.5), [[[3.0], [0.0], [0.0]], [[3.0], [0.0], [0.0]]])
    np.testing.assert_allclose(largest.proximal(KERNELS, 1.5), [[[2.0], [0.0], [0.0]], [[2.0], [0.0], [0.0]]])
    assert float(BlockSparse().logs([largest.proximal(KERNELS, 0.5)])["zeroed_rows"]) == pytest.approx(2 / 3)


@pytest.mark.parametrize("q", [2, "inf"])
def test_the_proximal_step_is_a_minimum(q):
    rng = np.random.default_rng(0)
    kernels = rng.normal(size=(2, 3, 4)).astype("float32")
    made = BlockSparse(strength=1.5, q=q)
    best = np.asarray(made.proximal(tf.constant(kernels), 0.5))

    def objective(value):
        return 0.5 * ((value - kernels) ** 2).sum() + 0.5 * float(made.call([tf.constant(value)], ("a", "b")))

    for _ in range(50):
        assert objective(best) < objective(best + 0.05 * rng.normal(size=best.shape).astype("float32"))


@pytest.mark.parametrize("q", [2, "inf"])
def test_no_rate_no_step_and_under_jit_compile(q):
    kernels = tf.random.stateless_normal((3, 4, 5), (1, 2))
    made = BlockSparse(strength=1.5, q=q)
    np.testing.assert_allclose(made.proximal(kernels, 0.0), kernels, rtol=1e-6)
    compiled = tf.function(lambda array: made.proximal(array, 0.5), jit_compile=True)
    np.testing.assert_allclose(compiled(kernels), made.proximal(kernels, 0.5), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("q", "strength"), [(2, 2.0), ("inf", 3.0)])
def test_inputs_that_no_task_needs_are_exactly_zero(q, strength):
    planted = np.zeros((4, 12))
    planted[:, :3] = 3.0 * np.sign(np.random.default_rng(7).normal(size=(4, 3)))
    tasks = tuple("abcd")
    fitted = fit(BlockSparse(strength=strength, q=q), planted, tasks, examples=30)
    assert (fitted == 0.0).all(axis=0).tolist() == [False] * 3 + [True] * 9
    assert not (fit(None, planted, tasks, examples=30) == 0.0).any()


def test_refuses_a_negative_strength():
    with pytest.raises(InputError, match="block_sparse: expected a strength of 0 or more, received -1"):
        BlockSparse(strength=-1)
