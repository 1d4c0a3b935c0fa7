"""The group of an example, such as its request: `evaluation.group_key`, for losses that compare the examples of a group."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

GROUP = "group"
"""The column of the transformed examples, and the key of the codes beside the features of a batch."""

HASHES = 2**63 - 1
"""Number of hashes that a value of the group column has: from 1. An example without a value has the hash 0."""


def as_pairs(hashes: NDArray[np.int64]) -> NDArray[np.int32]:
    """(example, 2): hashes as 4-byte values, as the columns of the transformed examples are."""
    return np.ascontiguousarray(hashes, "<i8").view("<i4").reshape(-1, 2)


def codes_of(pairs: NDArray[np.int32]) -> NDArray[np.int32]:
    """(example,) numbers of the groups from 0. An example without a group has one of its own.

    Args:
        pairs: (example, 2), from `as_pairs`.
    """
    hashes = np.ascontiguousarray(pairs, "<i4").view("<i8")[:, 0]
    values, codes = np.unique(hashes, return_inverse=True)
    (alone,) = np.nonzero(hashes == 0)
    codes[alone] = len(values) + np.arange(len(alone))
    return codes.astype(np.int32)
