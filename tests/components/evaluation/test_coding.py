from __future__ import annotations

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pytest

from components.evaluation.coding import Coder


def code(*batches):
    coder = Coder(sum(map(len, batches)))
    for batch in batches:
        coder.add(batch)
    return coder.finish()


def test_codes_over_batches_in_words():
    column = code(pa.array([1.5, None]), pa.array([2.0, 1.5]))
    assert column.codes.tolist() == [0, -1, 1, 0]
    assert list(column.values) == ["1.5", "2.0"]
    assert column.values[1] == "2.0" and list(column.values[1:]) == ["2.0"]
    assert list(code(pa.array([b"\xff", "ü".encode()])).values) == ["\\xff", "ü"]


@hypothesis.given(st.lists(st.lists(st.sampled_from([None, b"a", b"b", b"c", b""]), max_size=6), max_size=4))
def test_every_example_finds_its_value(batches):
    column = code(*(pa.array(batch, pa.large_binary()) for batch in batches))
    expected = [None if value is None else value.decode() for batch in batches for value in batch]
    assert [None if code < 0 else column.values[code] for code in column.codes] == expected
    assert len(set(column.values)) == len(column.values)


@pytest.mark.parametrize(("values", "dtype"), [(127, np.int8), (128, np.int8), (129, np.int16), (40_000, np.int32)])
def test_the_smallest_type(values, dtype):
    column = code(pa.array(range(values)), pa.array([None, values - 1]))
    assert column.codes.dtype == dtype
    assert column.codes[-2:].tolist() == [-1, values - 1] and column.codes.max() == values - 1


def test_no_examples():
    assert code().codes.shape == (0,) and list(code().values) == []
