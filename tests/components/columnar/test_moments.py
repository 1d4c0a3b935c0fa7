"""Moments are exact: by hand, against fractions, and the same for any order and division."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.columnar.moments import measure, merge_moments

FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


def floats(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def test_by_hand() -> None:
    moments = measure(floats(1.0, 2.0, 3.0, 6.0))
    assert (moments.count, moments.mean, moments.smallest, moments.largest) == (4, 3.0, 1.0, 6.0)
    assert moments.deviation == math.sqrt(3.5)


def test_what_is_not_finite_does_not_count() -> None:
    moments = measure(floats(1.0, math.nan, math.inf, -math.inf, 5.0))
    assert (moments.count, moments.mean, moments.deviation) == (2, 3.0, 2.0)
    assert measure(floats(math.nan)).count == 0


def test_a_constant_has_no_deviation_at_all() -> None:
    assert measure(np.full(1000, 0.1, np.float32)).deviation == 0.0
    assert measure(np.full(3, 16_777_217.0 * 1e9, np.float32)).deviation == 0.0


def test_nothing_cancels() -> None:
    # In float64 the naive formula gives 0 or nonsense here; the deviation is 2.
    assert measure(floats(3.0e7 - 2, 3.0e7 + 2)).deviation == 2.0
    assert measure(floats(1e30, 1.0, -1e30)).mean == pytest.approx(1 / 3, rel=1e-15)


@given(st.lists(FLOATS, min_size=1, max_size=30))
def test_against_fractions(values: list[float]) -> None:
    moments = measure(np.array(values, np.float32))
    exact = [Fraction(value) for value in values]
    mean = sum(exact) / len(exact)
    variance = sum((value - mean) ** 2 for value in exact) / len(exact)
    assert moments.mean == float(mean)
    assert moments.deviation == math.sqrt(float(variance))
    assert (moments.smallest, moments.largest) == (min(values), max(values))


@given(st.lists(FLOATS, min_size=2, max_size=30), st.data())
def test_any_order_and_division_gives_the_same_bits(values: list[float], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(values))
    cut = data.draw(st.integers(0, len(values)))
    parts = [measure(np.array(part, np.float32)) for part in (shuffled[:cut], shuffled[cut:])]
    whole = measure(np.array(values, np.float32))
    for merged in (merge_moments(parts), merge_moments(parts[::-1])):
        assert (merged.mean, merged.deviation) == (whole.mean, whole.deviation)
        assert (merged.count, merged.smallest, merged.largest) == (whole.count, whole.smallest, whole.largest)


def test_refuses_another_type() -> None:
    with pytest.raises(ValueError, match="float32 values, received 1 float64"):
        measure(np.array([1.0]))
