from __future__ import annotations

import numpy as np
import pytest

from components.statistics.cells import Cells, count_cells, merge_cells


def cells(values, most=2**18):
    return count_cells(np.asarray(values, np.float64), np.ones(len(values), np.int64), most)


def same(one: Cells, other: Cells) -> bool:
    return (
        one.shift == other.shift and np.array_equal(one.lows, other.lows) and np.array_equal(one.counts, other.counts)
    )


def test_few_numbers_are_counted_exactly():
    found = cells([3.0, -1.5, 0.0, 3.0, -0.0, 1e300, -1e-300])
    assert found.shift == 0
    assert found.lows.tolist() == [-1.5, -1e-300, 0.0, 3.0, 1e300]
    assert found.counts.tolist() == [1, 1, 2, 2, 1]


def test_no_number():
    found = cells([])
    assert len(found.lows) == len(found.counts) == 0
    assert same(merge_cells([found, cells([1.0])]), cells([1.0]))


def test_too_many_numbers_share_cells_by_hand():
    # 1, 1.25, 1.5, 1.75 differ in the first two bits of the fraction (52 bits), so 4 cells become 2 by forgetting 51
    found = cells([1.0, 1.25, 1.5, 1.75], most=2)
    assert found.shift == 51
    assert found.lows.tolist() == [1.0, 1.5]
    assert found.counts.tolist() == [2, 2]
    # below 0 the lowest number of a cell is the one farthest from 0
    below = cells([-1.0, -1.25, -1.5, -1.75], most=2)
    assert below.counts.tolist() == [2, 2]
    assert below.lows == pytest.approx([-2.0, -1.5]) and below.lows[0] <= -1.75 and below.lows[1] <= -1.25


@pytest.mark.parametrize("most", [64, 200])
def test_every_number_lies_in_its_cell_and_no_smaller_shift_would_do(most):
    values = np.random.default_rng(1).lognormal(0.0, 3.0, 500) * np.where(np.arange(500) % 3, 1.0, -1.0)
    found = cells(values, most)
    assert len(found.lows) <= most
    # the cell of each number is the last one that begins at or below it
    places = np.searchsorted(found.lows, values, side="right") - 1
    assert places.min() >= 0
    assert np.array_equal(np.bincount(places, minlength=len(found.lows)), found.counts)
    assert found.shift <= 52
    assert (values - found.lows[places] <= 2.0 ** (found.shift - 52) * np.abs(values)).all()
    keys = np.sort(np.where(values < 0, ~values.view(np.uint64), values.view(np.uint64) | np.uint64(2**63)))
    assert len(np.unique(keys >> np.uint64(found.shift - 1))) > most


@pytest.mark.parametrize("most", [5, 100, 10_000])
def test_the_same_in_any_order_and_any_division(most):
    random = np.random.default_rng(2)
    values = np.round(random.normal(0.0, 100.0, 2000), 2)
    whole = cells(values, most)
    for _ in range(5):
        random.shuffle(values)
        cuts = np.sort(random.integers(0, len(values), 6))
        parts = [cells(part, most) for part in np.split(values, cuts)]
        random.shuffle(parts)
        assert same(merge_cells(parts, most), whole)
        assert same(merge_cells([merge_cells(parts[:3], most), merge_cells(parts[3:], most)], most), whole)
