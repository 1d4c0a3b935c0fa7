from __future__ import annotations

import numpy as np

from components.interactions.gathering import log_shares


def test_by_hand() -> None:
    found = log_shares(np.array([3, 1, 0]), 4)
    np.testing.assert_allclose(np.exp(found), [0.75, 0.25, 0.125], rtol=1e-6)
    assert found.dtype == np.float32
