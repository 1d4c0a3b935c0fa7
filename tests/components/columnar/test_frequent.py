"""Bounded counts: by hand, the stated bounds against counting everything, and exact where they say so."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.columnar import frequent
from components.columnar.counts import Counts
from components.columnar.frequent import MOST_DISTINCT, Frequent, count_frequent, merge_frequent


def of(capacity: int, **counts: int) -> Frequent:
    values = pa.array([value.encode() for value in counts], pa.large_binary())
    return Frequent(Counts(values, np.array(list(counts.values()), np.int64)), capacity)


def as_dict(found: Frequent) -> dict[bytes, int]:
    return dict(zip(found.counts.values.to_pylist(), found.counts.counts.tolist(), strict=True))


def test_too_many_values_by_hand() -> None:
    full = merge_frequent([of(4, a=9, b=5, c=3), of(4, a=1, d=2, e=1)])
    # Five values and room for four: k = 2, and the third largest of 10, 5, 3, 2, 1 goes from each.
    assert as_dict(full) == {b"a": 7, b"b": 2}
    assert full.error == 3
    again = merge_frequent([full, of(4, b=1, c=4)])
    assert as_dict(again) == {b"a": 7, b"b": 3, b"c": 4}
    # c is one too low: it lost 3 before, as the error says.
    assert again.error == 3


def test_as_many_as_fit_are_exact() -> None:
    found = merge_frequent([of(4, a=1, b=1), of(4, c=1, d=1)])
    assert as_dict(found) == {b"a": 1, b"b": 1, b"c": 1, b"d": 1}
    assert found.error == 0


def test_a_large_vocabulary_has_room_for_four_times_as_many() -> None:
    values = pa.array([1, 1, 2], pa.int64())
    assert count_frequent(values, 10).capacity == MOST_DISTINCT
    assert count_frequent(values, MOST_DISTINCT).capacity == 4 * MOST_DISTINCT


def test_one_batch_can_be_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frequent, "MOST_DISTINCT", 2)
    found = count_frequent(pa.array([1, 1, 1, 1, 2, 2, 3, 4], pa.int64()), 0)
    # k = 1: the second largest count is 2.
    assert (found.counts.values.to_pylist(), found.counts.counts.tolist(), found.error) == ([1], [2], 2)


@given(st.lists(st.lists(st.integers(0, 30), max_size=40), min_size=1, max_size=8), st.integers(2, 12), st.data())
def test_the_bounds_hold_for_any_order_of_merging(groups: list[list[int]], capacity: int, data: st.DataObject) -> None:
    truth = Counter(value for group in groups for value in group)
    parts = []
    for group in groups:
        counted = Counter(group)
        values, counts = pa.array(list(counted), pa.int64()), np.array(list(counted.values()), np.int64)
        parts.append(merge_frequent([Frequent(Counts(values, counts), capacity), empty(capacity)]))
    while len(parts) > 1:
        first = parts.pop(data.draw(st.integers(0, len(parts) - 1)))
        second = parts.pop(data.draw(st.integers(0, len(parts) - 1)))
        parts.append(merge_frequent([first, second]))
    found = parts[0]
    estimates = dict(zip(found.counts.values.to_pylist(), found.counts.counts.tolist(), strict=True))
    assert len(estimates) <= capacity
    assert found.error <= sum(truth.values()) / (capacity // 2 + 1)
    for value, count in truth.items():
        assert count - found.error <= estimates.get(value, 0) <= count
    if len(truth) <= capacity:
        assert (estimates, found.error) == (truth, 0)


def empty(capacity: int) -> Frequent:
    return Frequent(Counts(pa.array([], pa.int64()), np.array([], np.int64)), capacity)
