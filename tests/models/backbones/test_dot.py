import numpy as np
import pytest

from models.backbones.dot import Dot
from models.recipe.errors import InputError


def test_by_hand():
    layer = Dot(fields=(2, 1))
    layer.build((None, 4))
    layer.vectors.maps["2"].set_weights([np.array([[[1.0, -1.0]]]), np.array([[0.5, 0.0]])])
    layer.of_numbers.set_weights([np.array([[0.5, 1.0]]), np.zeros(2)])
    # v = (1, 2), (3 + 0.5, -3), (2, 4): 3.5 - 6, 2 + 8, 7 - 12
    np.testing.assert_allclose(layer(np.array([[1.0, 2.0, 3.0, 4.0]])), [[1.0, 2.0, 3.0, 4.0, -2.5, 10.0, -5.0]])


def test_without_numbers():
    layer = Dot(fields=(2, 2))
    assert layer.compute_output_shape((None, 4)) == (None, 5)
    np.testing.assert_allclose(layer(np.array([[1.0, 2.0, 3.0, 4.0]])), [[1.0, 2.0, 3.0, 4.0, 11.0]])
    assert layer.weights == []


@pytest.mark.parametrize(
    ("fields", "words"), [((), "received 0 embeddings and 3"), ((3,), "received 1 embeddings and 0")]
)
def test_refuses_less_than_a_pair(fields, words):
    with pytest.raises(InputError, match=f"dot: expected two embeddings.*{words} numbers.*another backbone"):
        Dot(fields=fields).build((None, 3))
