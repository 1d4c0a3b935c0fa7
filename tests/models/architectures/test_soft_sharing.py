import itertools

import numpy as np
import pytest
from tasks import binary

from models.architectures.encoded import Encoded
from models.architectures.soft_sharing import SoftSharing
from models.recipe.errors import InputError


def test_penalty_is_the_mean_over_pairs():
    model = SoftSharing(binary("a", "b", "c"), units=(4, 3), strength=0.5)
    model(Encoded(np.ones((2, 5), "float32")))
    weights = [network.get_weights() for network in model.networks]
    distances = [
        sum(((v - w) ** 2).sum() for v, w in zip(one, other, strict=True))
        for one, other in itertools.combinations(weights, 2)
    ]
    assert len(model.losses) == 1
    assert float(model.losses[0]) == pytest.approx(0.5 * sum(distances) / 3, rel=1e-5)


@pytest.mark.parametrize(
    ("norm", "expected"),
    [
        ("distance", lambda w: np.mean([np.sqrt(((a - b) ** 2).sum()) for a, b in itertools.combinations(w, 2)])),
        ("trace", lambda w: np.linalg.svd(np.reshape(w, (3, -1)), compute_uv=False).sum()),
    ],
)
def test_other_norms_by_kernel(norm, expected):
    model = SoftSharing(binary("a", "b", "c"), units=(4, 3), strength=0.5, norm=norm)
    model(Encoded(np.ones((2, 5), "float32")))
    kernels = zip(*(network.get_weights()[::2] for network in model.networks), strict=True)  # the biases are 0
    assert float(model.losses[0]) == pytest.approx(0.5 * sum(map(expected, kernels)), rel=2e-3)


def test_twins_cost_nothing_and_a_lone_task_has_no_penalty():
    model = SoftSharing(binary("a", "b"), units=(4,))
    model.build(Encoded((None, 5)))
    model.networks[1].set_weights(model.networks[0].get_weights())
    model(Encoded(np.ones((2, 5), "float32")))
    assert model.losses[0] == 0
    lone = SoftSharing(binary("a"), units=(4,))
    lone(Encoded(np.ones((2, 5), "float32")))
    assert lone.losses == []


def test_refuses_a_negative_strength():
    with pytest.raises(InputError, match="strength of 0 or more, received -1"):
        SoftSharing(binary("a", "b"), strength=-1.0)


def test_refuses_no_layer():
    with pytest.raises(InputError, match="expected at least one layer in each network, received units=\\(\\)"):
        SoftSharing(binary("a", "b"), units=())
