"""Counts of numbers on a grid: rounding by hand, the stated bound, and the same for any order."""

from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.columnar.counts import quantile_boundaries
from components.features import grid
from components.features.grid import GridCounts, count_on_grid, merge_grids, round_down

FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


def floats(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def counted(values: list[float]) -> GridCounts:
    return count_on_grid(pa.array(values, pa.float32()))


def as_dict(found: GridCounts) -> dict[float, int]:
    return dict(zip(found.counts.values.to_pylist(), found.counts.counts.tolist(), strict=True))


def test_rounding_by_hand() -> None:
    step = 2.0**-23
    values = floats(1.0, 1 + step, 1 + 3 * step, 1 + 4 * step, 0.0)
    assert round_down(values, 2).tolist() == [1.0, 1.0, 1.0, 1 + 4 * step, 0.0]
    # Downwards means away from zero where numbers are negative; -1 is itself the lowest of its four.
    assert round_down(floats(-1.0, -1 - step), 2).tolist() == [-1 - 3 * step, -1 - 3 * step]
    largest = float(np.finfo(np.float32).max)
    assert np.isfinite(round_down(floats(largest, -largest), 12)).all()


@given(st.lists(FLOATS, min_size=1, max_size=40), st.integers(0, 12))
def test_rounding_keeps_the_order_and_is_small(values: list[float], bits: int) -> None:
    before = np.sort(floats(*values)) + np.float32(0)
    after = round_down(before, bits)
    assert (np.diff(after.astype(np.float64)) >= 0).all() and (after <= before).all()
    lost = before.astype(np.float64) - after
    normal = np.abs(before) >= 2.0**-100
    assert (lost[normal] <= np.abs(before[normal].astype(np.float64)) * 2.0 ** (bits - 23)).all()
    assert bits or (after == before).all()


def test_few_numbers_are_exact() -> None:
    found = merge_grids([counted([1.0, 2.0, 2.0]), counted([2.0, -0.5])])
    assert as_dict(found) == {1.0: 1, 2.0: 3, -0.5: 1}
    assert (found.bits, found.relative_error) == (0, 0.0)
    assert len(counted([0.0, -0.0]).counts.counts) == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(st.floats(1, 4, width=32) | st.floats(-4, -1, width=32), min_size=1, max_size=60),
    most=st.integers(8, 30),
    data=st.data(),
)
def test_any_order_and_division_gives_the_same(
    values: list[float], most: int, data: st.DataObject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grid, "MOST_DISTINCT", most)
    whole = counted(values)
    assert len(whole.counts.counts) <= most and int(whole.counts.counts.sum()) == len(values)
    shuffled = data.draw(st.permutations(values))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(values)), max_size=3)))
    edges = [0, *cuts, len(values)]
    parts = [counted(shuffled[start:end]) for start, end in itertools.pairwise(edges)]
    merged = merge_grids([merge_grids(parts[len(parts) // 2 :]), *parts[: len(parts) // 2]])
    assert (as_dict(merged), merged.bits) == (as_dict(whole), whole.bits)


def test_limits_are_as_near_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid, "MOST_DISTINCT", 500)
    values = np.random.default_rng(1).lognormal(2, 1, 20_000).astype(np.float32)
    found = merge_grids([count_on_grid(pa.array(part)) for part in np.array_split(values, 7)])
    assert found.bits > 0 and len(found.counts.counts) <= 500
    exact = np.sort(values)[[j * len(values) // 10 for j in range(1, 10)]].astype(np.float64)
    limits = np.array(quantile_boundaries(found.counts, 10))
    assert (limits <= exact).all() and (limits < exact).any()
    assert (exact - limits <= exact * found.relative_error).all()
