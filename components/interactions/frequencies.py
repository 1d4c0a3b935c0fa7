"""How often items are chosen: what sampling negatives from the positives favours, and the softmax has to be told."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

UNSEEN = 0.5
"""Positives that an item without any is taken to have: ln 0 would be an infinite correction."""


def log_shares(counts: NDArray[np.int64], rows: int) -> NDArray[np.float32]:
    """log_q[i] = ln(max(counts[i], UNSEEN) / rows), an item's chance to be a negative in a batch of positives.

    Yi, Yang, Hong, Cheng, Heldt, Kumthekar, Zhao, Wei, Chi: Sampling-Bias-Corrected Neural Modeling for Large Corpus Item
    Recommendations, RecSys 2019 (https://doi.org/10.1145/3298689.3346996), who estimate it from the stream; here it is counted.

    Args:
        counts: (item,) train positives of each item, each counting once whatever its weight.
        rows: all train positives, at least 1.
    """
    return np.log(np.maximum(counts, UNSEEN) / rows).astype(np.float32)
