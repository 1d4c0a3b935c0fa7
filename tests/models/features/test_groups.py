from __future__ import annotations

import numpy as np

from models.features.groups import HASHES, as_pairs, codes_of


def test_equal_hashes_are_one_group_and_none_is_one_s_own() -> None:
    hashes = np.array([HASHES, 0, 1, 0, HASHES, 2**32, 1])
    codes = codes_of(as_pairs(hashes))
    assert codes.dtype == np.int32 and codes.min() >= 0
    same = (codes[:, None] == codes).astype(int)
    expected = (hashes[:, None] == hashes) & ((hashes != 0) | np.eye(7, dtype=bool))
    np.testing.assert_array_equal(same, expected)


def test_the_order_of_the_rows_changes_no_code() -> None:
    """Of a row that has a group: the epochs' orders depend on the examples alone."""
    hashes = np.random.default_rng(0).integers(1, 9, 50)
    order = np.random.default_rng(1).permutation(50)
    np.testing.assert_array_equal(codes_of(as_pairs(hashes[order])), codes_of(as_pairs(hashes))[order])
