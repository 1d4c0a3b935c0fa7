from __future__ import annotations

import numpy as np
import pytest

from components.statistics.whole_moments import measure_wholes, merge_wholes

EXTREMES = np.array([-(2**63), 2**63 - 1, -1, 0, 1, -(2**32), 2**32, 2**31, -(2**31) - 1, 10**18, -(10**17)], np.int64)


def test_by_hand():
    found = measure_wholes(np.array([2, 4, -6]), np.array([1, 2, 1]))
    # 2, 4, 4, -6
    assert (found.count, found.total, found.squares) == (4, 4, 72)
    assert found.mean == 1.0
    assert found.deviation == pytest.approx((72 / 4 - 1.0) ** 0.5)
    assert (found.smallest, found.largest) == (-6.0, 4.0)


def test_the_largest_whole_numbers_are_summed_exactly():
    counts = np.arange(1, len(EXTREMES) + 1)
    found = measure_wholes(EXTREMES, counts)
    pairs = list(zip(EXTREMES.tolist(), counts.tolist(), strict=True))
    assert found.total == sum(value * count for value, count in pairs)
    assert found.squares == sum(value * value * count for value, count in pairs)


def test_a_constant_column_has_no_deviation():
    assert measure_wholes(np.array([10**17 + 1]), np.array([1000])).deviation == 0.0


def test_the_same_in_any_order_and_any_division():
    random = np.random.default_rng(3)
    values = random.integers(-(2**63), 2**63 - 1, 999, dtype=np.int64)
    whole = measure_wholes(values, np.ones(999, np.int64))
    for _ in range(5):
        random.shuffle(values)
        parts = [measure_wholes(part, np.ones(len(part), np.int64)) for part in np.split(values, [0, 100, 555])]
        assert merge_wholes(parts[::-1]) == whole


def test_too_many_at_once():
    with pytest.raises(ValueError, match="at most 1073741824 values, received 1073741825"):
        measure_wholes(np.array([1]), np.array([2**30 + 1]))
