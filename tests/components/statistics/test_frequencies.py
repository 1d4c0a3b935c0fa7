from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from components.columnar.counts import Counts, count_values
from components.statistics.frequencies import Frequencies, merge_frequencies, most_frequent


def frequencies(values):
    kind = pa.int64() if isinstance(values[0], int) else pa.large_binary()
    return Frequencies(count_values(pa.array(values, kind)))


def as_dict(found: Frequencies) -> dict:
    return dict(zip(found.counts.values.to_pylist(), found.counts.counts.tolist(), strict=True))


def test_counts_of_all_parts_together():
    found = merge_frequencies([frequencies([b"a", b"b", b"a"]), frequencies([b"c", b"a"])])
    assert as_dict(found) == {b"a": 3, b"b": 1, b"c": 1}
    assert (found.undercount, found.hashes, found.unique) == (0, None, 3)


@pytest.mark.parametrize(
    ("values", "expected"), [([1, 10, 9, 1], [1, 10, 9]), ([b"1", b"10", b"9", b"1"], [b"1", b"9", b"10"])]
)
def test_among_equal_counts_the_larger_value_is_first(values, expected):
    assert most_frequent(frequencies(values).counts, 5) == (expected, [2, 1, 1])
    assert most_frequent(frequencies(values).counts, 2) == (expected[:2], [2, 1])


def test_a_summary_by_hand():
    parts = [frequencies([1] * 9 + [2] * 5 + [3] * 2), frequencies([1] + [4] * 2 + [5])]
    found = merge_frequencies(parts, most_values=2)
    # 1: 10, 2: 5, 3: 2, 4: 2, 5: 1; the largest count that does not fit is 2
    assert as_dict(found) == {1: 8, 2: 3}
    assert found.undercount == 2
    assert found.unique == 5


def test_what_is_exactly_as_large_as_the_limit_stays_exact():
    assert merge_frequencies([frequencies([b"ab", b"c"])], most_values=2, most_bytes=3).undercount == 0
    found = merge_frequencies([frequencies([b"ab", b"ab", b"c", b"d"])], most_values=9, most_bytes=3)
    assert as_dict(found) == {b"ab": 1} and found.undercount == 1 and found.unique == 3


def test_a_value_longer_than_the_limit_leaves_the_summary():
    found = merge_frequencies([frequencies([b"x" * 100, b"x" * 100, b"y"])], most_bytes=50)
    assert as_dict(found) == {} and found.undercount == 2 and found.unique == 2


@pytest.mark.parametrize("most", [8, 32, 128])
def test_counts_of_a_summary_are_low_by_at_most_the_undercount_and_rows_over_size(most):
    random = np.random.default_rng(most)
    values = (random.pareto(1.0, 5000) * 3).astype(int)
    truth = Counter(values.tolist())
    for seed in range(3):
        np.random.default_rng(seed).shuffle(values)
        found = None
        for part in np.split(values, range(250, 5000, 250)):
            new = frequencies(part.tolist())
            found = merge_frequencies([new] if found is None else [found, new], most)
        assert len(found.counts.values) <= most
        assert found.undercount <= 5000 / most
        for value, count in as_dict(found).items():
            assert truth[value] - found.undercount <= count <= truth[value]
        for value, count in truth.items():
            assert value in as_dict(found) or count <= found.undercount


def test_the_number_of_distinct_values_does_not_depend_on_the_order():
    random = np.random.default_rng(5)
    parts = [frequencies(random.integers(0, 60_000, 20_000).tolist()) for _ in range(6)]
    truth = len(np.unique(np.concatenate([part.counts.values.to_numpy() for part in parts])))
    one = merge_frequencies(parts, 1000).unique
    assert one == pytest.approx(truth, rel=0.04)
    halves = [merge_frequencies(parts[3:][::-1], 1000), merge_frequencies(parts[:3], 1000)]
    assert merge_frequencies(halves, 1000).unique == one


def test_exact_counts_do_not_depend_on_the_order():
    random = np.random.default_rng(6)
    parts = [frequencies(random.integers(0, 50, 200).tolist()) for _ in range(5)]
    whole = as_dict(merge_frequencies(parts))
    assert as_dict(merge_frequencies([merge_frequencies(parts[2:]), parts[1], parts[0]])) == whole


def test_nothing():
    empty = Frequencies(Counts(pa.array([], pa.large_binary()), np.array([], np.int64)))
    assert merge_frequencies([empty, empty]).unique == 0
    assert most_frequent(empty.counts, 3) == ([], [])
