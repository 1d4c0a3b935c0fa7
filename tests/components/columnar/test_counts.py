"""Counts and the vocabulary, by hand and against sorting everything."""

from collections import Counter

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from components.columnar.counts import Counts, count_values, merge_counts, vocabulary


def texts(*values: str) -> pa.Array:
    return pa.array([value.encode() for value in values], pa.large_binary())


def as_dict(counts: Counts) -> dict[object, int]:
    return dict(zip(counts.values.to_pylist(), counts.counts.tolist(), strict=True))


def test_vocabulary_by_falling_count_and_rising_value() -> None:
    counts = count_values(texts("b", "c", "a", "c", "b", "d", "é", "c"))
    assert vocabulary(counts, 10, 1).to_pylist() == [b"c", b"b", b"a", b"d", "é".encode()]
    assert vocabulary(counts, 3, 1).to_pylist() == [b"c", b"b", b"a"]
    assert vocabulary(counts, 10, 2).to_pylist() == [b"c", b"b"]
    assert vocabulary(counts, 10, 4).to_pylist() == []


def test_vocabulary_of_whole_numbers_sorts_them_as_numbers() -> None:
    counts = count_values(pa.array([10, 9, -(2**63), 2**63 - 1, 9], pa.int64()))
    assert vocabulary(counts, 10, 1).to_pylist() == [9, -(2**63), 10, 2**63 - 1]


def test_vocabulary_of_numbers_sorts_them_as_numbers() -> None:
    counts = count_values(pa.array([10.5, -0.25, -7.0, 10.5, 0.0], pa.float32()))
    assert vocabulary(counts, 10, 1).to_pylist() == [10.5, -7.0, -0.25, 0.0]


def test_values_that_no_line_of_a_file_can_hold_get_no_id() -> None:
    counts = count_values(texts("", "", "a\nb", "c\r", "a b"))
    assert vocabulary(counts, 10, 1).to_pylist() == [b"a b"]


@given(st.lists(st.lists(st.integers(-3, 3), max_size=12), min_size=1, max_size=6), st.randoms())
def test_merging_is_counting_together_in_any_order(groups: list[list[int]], random: object) -> None:
    parts = [count_values(pa.array(group, pa.int64())) for group in groups]
    expected = Counter(value for group in groups for value in group)
    assert as_dict(merge_counts(parts)) == expected
    assert as_dict(merge_counts([merge_counts(parts[:1]), *parts[1:]])) == expected
    random.shuffle(parts)  # type: ignore[attr-defined]
    first, second = merge_counts(parts), merge_counts(parts[::-1])
    assert vocabulary(first, 4, 1).equals(vocabulary(second, 4, 1))
    assert first.counts.dtype == np.int64
