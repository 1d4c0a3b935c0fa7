"""A hash of 64-bit integers.

Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators, 2014 (https://doi.org/10.1145/2714064.2660195).
"""

from __future__ import annotations

import numpy as np

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""2^64 divided by the golden ratio, odd: its multiples are evenly distributed."""


def mix(values: np.ndarray) -> np.ndarray:
    """The finaliser of SplitMix64, a bijection of the 64-bit integers that spreads adjacent values."""
    z = values.astype(np.uint64)
    z += GOLDEN
    shifted = np.empty_like(z)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, None)):
        np.right_shift(z, np.uint64(shift), out=shifted)
        z ^= shifted
        if factor is not None:
            z *= np.uint64(factor)
    return z
