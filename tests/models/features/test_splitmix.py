"""The hash of 64-bit integers."""

import numpy as np

from models.features.splitmix import mix


def test_mix_is_splitmix64() -> None:
    # First output of SplitMix64 with seed 0, from its reference implementation.
    assert mix(np.array([0], np.uint64))[0] == np.uint64(0xE220A8397B1DCDAF)
