"""First and last times of values, in any division of the rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.columnar import frequent
from components.features.seen import Seen, merge_seen, see

KINDS = [
    (pa.int64(), [5, -1, 2**62]),
    (pa.float32(), [0.5, 0.0, -3.0]),
    (pa.large_binary(), [b"a", b"", b"\xff"]),
]


def content(seen: Seen) -> dict[Any, tuple[int, int, int]]:
    counts = seen.frequent.counts
    rows = zip(counts.values.to_pylist(), counts.counts, seen.first, seen.last, strict=True)
    return {value: (int(count), int(first), int(last)) for value, count, first, last in rows}


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    parts=st.lists(st.lists(st.tuples(st.integers(0, 2), st.integers(-9, 9)), max_size=6), min_size=1, max_size=4),
)
def test_any_division_gives_what_a_plain_dict_gives(kind: Any, parts: list[list[tuple[int, int]]]) -> None:
    arrow, values = kind
    expected: dict[Any, tuple[int, int, int]] = {}
    for place, time in (row for part in parts for row in part):
        count, first, last = expected.get(values[place], (0, time, time))
        expected[values[place]] = count + 1, min(first, time), max(last, time)
    seen = merge_seen(
        [
            see(
                pa.array([values[place] for place, _ in part], arrow), np.array([time for _, time in part], np.int64), 9
            )
            for part in parts
        ]
    )
    assert content(seen) == expected


def test_with_too_many_values_the_times_of_those_that_are_counted_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frequent, "MOST_DISTINCT", 2)
    # Room for two of three values: the second largest count, 1, is taken from all.
    seen = see(pa.array([7, 7, 7, 8, 9]), np.array([30, 10, 20, 1, 99]), 0)
    assert content(seen) == {7: (2, 10, 30)}
    assert seen.frequent.error == 1
    merged = merge_seen([seen, see(pa.array([7, 8]), np.array([5, 6]), 0)])
    assert content(merged) == {7: (3, 5, 30), 8: (1, 6, 6)}
    assert merged.frequent.error == 1
