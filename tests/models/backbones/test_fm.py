import numpy as np
import pytest

from models.backbones.fm import FM
from models.recipe.errors import InputError


def test_by_hand():
    layer = FM(fields=(2, 2))
    layer.build((None, 5))
    layer.of_numbers.assign([[0.5, 1.0]])
    # v = (1, 2), (3, -1), (1, 2): (3, -2) + (1, 4) + (3, -2)
    np.testing.assert_allclose(
        layer(np.array([[1.0, 2.0, 3.0, -1.0, 2.0]])), [[1.0, 2.0, 3.0, -1.0, 2.0, 7.0, 0.0]], atol=1e-6
    )


def test_numbers_alone():
    layer = FM(dim=1)
    layer.build((None, 2))
    layer.of_numbers.assign([[1.0], [4.0]])
    np.testing.assert_allclose(layer(np.array([[2.0, 3.0]])), [[2.0, 3.0, 24.0]])  # 2 * (3 * 4)


def test_all_pairs_of_embeddings_of_different_widths():
    layer = FM(fields=(3, 2, 3), dim=3)
    x = np.random.default_rng(0).normal(size=(1, 8)).astype("float32")
    pooled, vectors = np.array(layer(x))[0, 8:], np.array(layer.vectors(x))[0]
    pairs = [vectors[i] * vectors[j] for i in range(3) for j in range(i)]
    np.testing.assert_allclose(pooled, sum(pairs), rtol=1e-4, atol=1e-5)


def test_refuses_numbers_alone_without_a_width():
    with pytest.raises(InputError, match=r"fm: expected a dim.*received dim=0; write dim=16\."):
        FM().build((None, 3))
