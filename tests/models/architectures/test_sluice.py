import keras
import numpy as np
import pytest
from tasks import binary

from models.architectures.encoded import Encoded
from models.architectures.sluice import Sluice, overlap
from models.recipe.errors import InputError

X = np.random.default_rng(0).normal(size=(4, 5)).astype("float32")


def test_by_hand():
    model = Sluice(binary("a", "b"), units=(1, 1), subspaces=2, tower_units=())
    model.build(Encoded((None, 1)))
    model.stack[0].set_weights([np.array([[[1.0, 2.0]], [[3.0, -1.0]]]), np.zeros((2, 2))])
    model.stack[1].set_weights([np.array([[[1.0, 0.0], [0.0, 1.0]], [[1.0, 1.0], [0.0, 2.0]]]), np.zeros((2, 2))])
    keep = np.eye(4)
    model.stitches[0].set_weights([np.array([[1.0, 0, 0, 0], [0, 0, 1.0, 0], [0, 0.5, 0, 0], [0, 0, 0, 1.0]])])
    model.stitches[1].set_weights([keep])
    model.beta[0].assign([0.5, 1.0])
    model.beta[1].assign([0.0, 1.0])
    for tower, bias in zip(model.towers, [0.0, 10.0], strict=True):
        tower.set_weights([np.array([[1.0], [1.0]]), np.array([bias])])
    # x = 2: layer 0 gives a (2, 4), b (6, relu(-2) = 0). Its alpha gives a (2, 6), b (4 / 2, 0).
    # Layer 1 gives a (2, 6), b (2 + 0, 2 + 0). beta: a (2 + 1, 6 + 3), b (2, 2).
    outputs = model(Encoded(np.array([[2.0]])))
    np.testing.assert_allclose([outputs["a"][0], outputs["b"][0]], [12.0, 14.0])


def test_overlap_by_hand():
    # Task 0: G_1 = (1, 2), G_2 = (3, -1): (3 - 2)^2 = 1. Task 1: (1, 0) and (0, 5) are orthogonal.
    kernels = np.array([[[1.0, 3.0], [2.0, -1.0]], [[1.0, 0.0], [0.0, 5.0]]], "float32")
    assert float(overlap(kernels, 2)) == 1.0
    # Three subspaces: pairs (1, 2), (1, 3), (2, 3) of 1, 2 and 3: 4 + 9 + 36.
    assert float(overlap(np.array([[[1.0, 2.0, 3.0]]], "float32"), 3)) == 49.0


def test_the_loss_term_sums_over_tasks_layers_and_pairs():
    model = Sluice(binary("a", "b"), units=(4, 3), subspaces=3, orthogonality=0.5)
    model(Encoded(X))
    expected = 0.0
    for stack, size in zip(model.stack, model.units, strict=True):
        for kernel in stack.get_weights()[0]:
            parts = [kernel[:, i * size : (i + 1) * size] for i in range(3)]
            expected += sum(np.sum((parts[i].T @ parts[j]) ** 2) for i, j in ((0, 1), (0, 2), (1, 2)))
    assert len(model.losses) == 1
    assert float(model.losses[0]) == pytest.approx(0.5 * expected, rel=1e-4)


def test_one_subspace_has_no_loss_term():
    model = Sluice(binary("a", "b"), units=(4,), subspaces=1)
    model(Encoded(X))
    assert model.losses == []


def test_starts_near_networks_of_their_own():
    model = Sluice(binary("a", "b"), units=(2, 2, 2), subspaces=2, self_weight=0.7)
    model.build(Encoded((None, 5)))
    np.testing.assert_allclose(model.beta[1], [0.15, 0.15, 0.7], rtol=1e-6)
    np.testing.assert_allclose(model.stitches[0].alpha, 0.6 * np.eye(4) + 0.1, rtol=1e-6)
    lone = Sluice(binary("a", "b"), units=(2,), self_weight=0.7)
    lone.build(Encoded((None, 5)))
    assert float(lone.beta[0][0]) == 1.0


def test_layers_of_another_width_are_projected():
    keras.utils.set_random_seed(1)
    model = Sluice(binary("a", "b"), units=(3, 2), subspaces=2, tower_units=(), activation="linear")
    model(Encoded(X))
    assert len(model.projections) == 2
    mixed = X[:, None]
    levels = []
    for stack, stitch in zip(model.stack, model.stitches, strict=True):
        kernel, bias = stack.get_weights()
        out = np.stack([mixed[:, min(t, mixed.shape[1] - 1)] @ kernel[t] + bias[t] for t in (0, 1)], 1)
        mixed = np.einsum("ts,bsd->btd", stitch.get_weights()[0], out.reshape(4, 4, -1)).reshape(4, 2, -1)
        levels.append(mixed)
    for t, task in enumerate(("a", "b")):
        kernel, bias = model.projections[t].get_weights()
        first, last = np.array(model.beta[t])
        read = first * (levels[0][:, t] @ kernel + bias) + last * levels[1][:, t]
        kernel, bias = model.towers[t].get_weights()
        np.testing.assert_allclose(model(Encoded(X))[task], (read @ kernel + bias)[:, 0], rtol=1e-4, atol=1e-5)
    same = Sluice(binary("a", "b"), units=(3, 3))
    assert same.projections == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"units": ()}, "at least one layer and one subspace, received units=\\(\\) and subspaces=2"),
        ({"subspaces": 0}, "at least one layer and one subspace"),
        ({"orthogonality": -1.0}, "orthogonality of 0 or more, received -1"),
    ],
)
def test_refuses(options, message):
    with pytest.raises(InputError, match=message):
        Sluice(binary("a", "b"), **options)
