from __future__ import annotations

import itertools

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis.extra import numpy as hnp

from components.evaluation import ordering
from components.evaluation.ordering import (
    PASS_ROWS,
    falling_keys,
    falling_passes,
    in_passes,
    pass_rows,
    radix_argsort,
)


def finite(dtype):
    return hnp.arrays(dtype, st.integers(0, 40), elements={"allow_nan": False})


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_keys_by_hand(dtype):
    values = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, 1e-40, -1e-40], dtype)
    keys = falling_keys(values)
    assert keys.dtype.itemsize == values.dtype.itemsize and keys[0] == keys[1]
    assert np.argsort(keys, kind="stable").tolist() == [4, 2, 6, 0, 1, 7, 3, 5]


@hypothesis.given(st.one_of(finite(np.float32), finite(np.float64)))
def test_keys_order_as_the_predictions(values):
    keys = falling_keys(values)
    np.testing.assert_array_equal(keys[:, None] < keys[None, :], values[:, None] > values[None, :])


@hypothesis.given(
    st.sampled_from([np.uint8, np.uint16, np.uint32, np.uint64]).flatmap(
        lambda dtype: hnp.arrays(dtype, st.integers(0, 50))
    )
)
def test_radix_is_stable(keys):
    np.testing.assert_array_equal(radix_argsort(keys), np.argsort(keys, kind="stable"))


@hypothesis.given(finite(np.float32), st.integers(1, 50), st.randoms(use_true_random=False))
def test_passes_fall(values, most, random):
    rows = np.array([row for row in range(len(values)) if random.random() < 0.7], np.int64)
    passes = [values[mine][order] for mine, order in falling_passes(values, rows, most)]
    np.testing.assert_array_equal(np.concatenate(passes), np.sort(values[rows])[::-1])
    some = [one for one in passes if len(one)]
    assert all(before.min() > after.max() for before, after in itertools.pairwise(some))


def test_passes_are_even():
    values = np.random.default_rng(0).beta(0.3, 20.0, 100_000).astype(np.float32)
    sizes = [len(rows) for rows, _ in falling_passes(values, np.arange(100_000), 10_000)]
    assert len(sizes) == 10 and max(sizes) < 11_000


@pytest.mark.parametrize("chunk", [3, 1000])
def test_the_rows_of_each_pass(monkeypatch, chunk):
    monkeypatch.setattr(ordering, "PASS_ROWS", chunk)
    place = np.array([2, 0, 255, 2, 1, 0, 2, 1], np.uint8)
    found = [mine.tolist() for mine in in_passes(10 * np.arange(8), place)]
    assert found == [[40, 70], [0, 30, 60], [20]]
    assert not list(in_passes(np.arange(8), np.zeros(8, np.uint8)))
    assert not list(in_passes(np.zeros(0, np.int64), np.zeros(0, np.uint8)))


@pytest.mark.parametrize("rows", [1, 1 << 18, 10_000_000, 1 << 30])
def test_a_pass_has_a_number_that_is_a_byte(rows):
    assert 1 <= -(-rows // pass_rows(rows)) <= 255
    assert pass_rows(10_000_000) == PASS_ROWS
