import numpy as np
import pytest

from models.backbones.dcn_v2 import DCNv2
from models.recipe.errors import InputError


def test_full_matrices_by_hand():
    layer = DCNv2(layers=2)
    layer.build((None, 2))
    for kernel, bias, values in zip(
        layer.maps, layer.biases, ([[1.0, 0.0], [2.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]), strict=True
    ):
        kernel.set_weights([np.array(values)])
        bias.assign([0.5, 0.0])
    # x0 = (2, 3): x0 W = (8, 3), + b = (8.5, 3); x1 = (2 * 8.5 + 2, 3 * 3 + 3) = (19, 12)
    # x1 W = (12, 19), + b = (12.5, 19); x2 = (2 * 12.5 + 19, 3 * 19 + 12) = (44, 69)
    np.testing.assert_allclose(layer(np.array([[2.0, 3.0], [0.0, 0.0]])), [[44.0, 69.0], [0.0, 0.0]])


def test_a_mixture_of_low_rank_by_hand():
    layer = DCNv2(layers=1, rank=1, experts=2)
    layer.build((None, 2))
    layer.gates[0].set_weights([np.zeros((2, 2)), np.array([np.log(3.0), 0.0])])  # 3/4 and 1/4
    half = np.arctanh(0.5)
    # Both experts go through tanh(tanh(half) c): c = atanh(1/2) / (1/2) gives 1/2 again.
    for expert, up in enumerate(([[4.0, 0.0]], [[0.0, 8.0]])):
        down, within, out = layer.maps[3 * expert : 3 * expert + 3]
        down.set_weights([np.array([[half], [0.0]])])
        within.set_weights([np.array([[2 * half]])])
        out.set_weights([np.array(up)])
    # x = (1, 2): maps (2, 0) and (0, 4), mixed (1.5, 1); out = (1 * 1.5 + 1, 2 * 1 + 2)
    np.testing.assert_allclose(layer(np.array([[1.0, 2.0]])), [[2.5, 4.0]], rtol=1e-6)


def test_refuses_experts_of_full_matrices():
    with pytest.raises(InputError, match="expected a rank for its 2 experts, received rank=0"):
        DCNv2(experts=2)
