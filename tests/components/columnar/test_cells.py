"""Cells of numbers: by hand, the stated bound, the same for any order; their keys; the quantiles that follow."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.columnar.cells import Cells, count_cells, merge_cells, numbers_of, quantile_boundaries, rising_keys

FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


def cells(values, most=2**18, dtype=np.float64):
    return count_cells(np.asarray(values, dtype), np.ones(len(values), np.int64), most)


def same(one: Cells, other: Cells) -> bool:
    return (
        one.shift == other.shift
        and one.lows.dtype == other.lows.dtype
        and np.array_equal(one.lows, other.lows)
        and np.array_equal(one.counts, other.counts)
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


@pytest.mark.parametrize(
    ("dtype", "kind", "one"), [(np.float32, np.uint32, 0xBF800000), (np.float64, np.uint64, 0xBFF << 52)]
)
def test_keys_sort_like_the_numbers_and_give_them_back(dtype: type, kind: type, one: int) -> None:
    numbers = np.array([-np.inf, -3e38, -1.5, -1e-40, -0.0, 0.0, 1e-40, 1.0, 3e38, np.inf], dtype)
    keys = rising_keys(numbers)
    assert keys.dtype == kind and (np.diff(keys.astype(object)) > 0).all()
    assert int(keys[7]) == one
    assert numbers_of(keys).tobytes() == numbers.tobytes()


def test_float32_by_hand() -> None:
    step = 2.0**-23
    found = cells([1.0, 1 + step, 1 + 3 * step, 1 + 4 * step, 0.0], 3, np.float32)
    assert (found.lows.dtype, found.shift, found.relative_width) == (np.float32, 2, 2.0**-21)
    assert (found.lows.tolist(), found.counts.tolist()) == ([0.0, 1.0, 1 + 4 * step], [1, 3, 1])
    # Downwards means away from zero where numbers are negative.
    found = cells([-1.0, -1 - step, 0.0], 2, np.float32)
    assert (found.lows.tolist(), found.counts.tolist(), found.shift) == ([-1 - step, 0.0], [2, 1], 1)
    found = merge_cells([cells([1.0, 2.0, 2.0], 3, np.float32), cells([2.0, -0.5, -0.0, 0.0], 4, np.float32)], 4)
    assert (found.lows.tolist(), found.counts.tolist()) == ([-0.5, 0.0, 1.0, 2.0], [1, 2, 1, 3])
    assert found.relative_width == 0.0


@given(st.lists(FLOATS, min_size=1, max_size=40), st.integers(8, 40))
def test_float32_lie_in_their_cells(values: list[float], most: int) -> None:
    numbers = np.array(values, np.float32)
    found = cells(numbers, most, np.float32)
    assert len(found.lows) <= most and int(found.counts.sum()) == len(values)
    assert (np.diff(found.lows.astype(np.float64)) > 0).all()
    if found.shift > 23:
        return
    assert np.isfinite(found.lows).all()
    lows = found.lows[np.searchsorted(found.lows, numbers, side="right") - 1]
    lost = numbers.astype(np.float64) - lows
    normal = np.abs(numbers) >= 2.0**-100
    assert (lost >= 0).all() and (
        lost[normal] <= np.abs(numbers[normal].astype(np.float64)) * found.relative_width
    ).all()
    assert found.shift or set(found.lows.tolist()) == set((numbers + np.float32(0)).tolist())


@given(
    values=st.lists(st.floats(1, 4, width=32) | st.floats(-4, -1, width=32), min_size=1, max_size=60),
    most=st.integers(8, 30),
    data=st.data(),
)
def test_float32_in_any_order_and_division(values: list[float], most: int, data: st.DataObject) -> None:
    whole = cells(values, most, np.float32)
    shuffled = data.draw(st.permutations(values))
    edges = [0, *sorted(data.draw(st.lists(st.integers(0, len(values)), max_size=3))), len(values)]
    parts = [cells(shuffled[start:end], most, np.float32) for start, end in itertools.pairwise(edges)]
    half = len(parts) // 2
    assert same(merge_cells([merge_cells(parts[half:], most), *parts[:half]], most), whole)


def test_quantiles_are_as_near_as_it_says() -> None:
    values = np.random.default_rng(1).lognormal(2, 1, 20_000).astype(np.float32)
    found = merge_cells([cells(part, 500, np.float32) for part in np.array_split(values, 7)], 500)
    assert found.shift > 0 and len(found.counts) <= 500
    exact = np.sort(values)[[j * len(values) // 10 for j in range(1, 10)]].astype(np.float64)
    limits = np.array(quantile_boundaries(found, 10))
    assert (limits <= exact).all() and (limits < exact).any()
    assert (exact - limits <= exact * found.relative_width).all()


@pytest.mark.parametrize(
    ("values", "buckets", "expected"),
    [
        ([float(i) for i in range(100)], 4, (25.0, 50.0, 75.0)),
        # floor(10/3) = 3, floor(20/3) = 6: intervals of 3, 3 and 4 rows.
        ([float(i) for i in range(10)], 3, (3.0, 6.0)),
        ([1.0, 1.0, 1.0, 2.0], 4, (2.0,)),
        ([1.0, 2.0], 10, (2.0,)),
        ([5.0, 5.0, 5.0], 4, ()),
        ([7.0], 2, ()),
        ([-1.5, 0.0, 3.0e38], 3, (0.0, 3.0e38)),
    ],
)
def test_quantiles_by_hand(values: list[float], buckets: int, expected: tuple[float, ...]) -> None:
    assert quantile_boundaries(cells(values, dtype=np.float32), buckets) == pytest.approx(expected, rel=1e-7)


@given(st.lists(st.integers(-20, 20).map(float), min_size=1, max_size=80), st.integers(2, 9))
def test_quantiles_against_sorting_all_rows(values: list[float], buckets: int) -> None:
    ordered = sorted(values)
    wanted = {ordered[math.floor(j * len(values) / buckets)] for j in range(1, buckets)}
    expected = tuple(sorted(limit for limit in wanted if limit > ordered[0]))
    assert quantile_boundaries(cells(values, dtype=np.float32), buckets) == expected
