import keras
import numpy as np
import pytest
from tasks import binary

from models.architectures.encoded import Encoded
from models.architectures.mmoe import MMoE
from models.recipe.errors import InputError
from models.regularizers.l2 import L2


def test_by_hand():
    dense = keras.layers.Dense(2)
    dense.build((None, 2))
    dense.set_weights([np.array([[1.0, 2.0], [0.0, 3.0]]), np.array([100.0, 100.0])])
    assert float(L2(strength=0.5).call(dense.trainable_variables)) == pytest.approx(0.5 * (1 + 4 + 9))


def test_all_dense_kernels():
    architecture = MMoE(binary("a", "b"), experts=2, units=(3,))
    architecture.build(Encoded((None, 2)))
    kernels = [v for v in architecture.trainable_variables if len(v.shape) > 1 and v.path.endswith("/kernel")]
    assert len(kernels) == 1 + 2 + 2 * 2  # experts, gates, towers of two layers
    expected = sum(float((v.numpy() ** 2).sum()) for v in kernels)
    assert float(L2(strength=1.0).call(architecture.trainable_variables)) == pytest.approx(expected, rel=1e-5)


def test_refuses_a_negative_strength():
    with pytest.raises(InputError, match="strength of 0 or more, received -1"):
        L2(strength=-1)
