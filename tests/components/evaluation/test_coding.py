from __future__ import annotations

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pytest

from components.evaluation import coding
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


@pytest.mark.parametrize("least", [0, 3, 1 << 16])
@hypothesis.settings(deadline=None)
@hypothesis.given(batches=st.lists(st.lists(st.sampled_from([None, *map(str, range(12)), ""]), max_size=8), max_size=9))
def test_every_example_finds_its_value(least, batches):
    """However often the batches' values are brought together: codes count the values as they come."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coding, "LEAST_VALUES", least)
        column = code(*(pa.array(batch, pa.large_string()).cast(pa.large_binary()) for batch in batches))
    values = [value for batch in batches for value in batch]
    assert [None if code < 0 else column.values[code] for code in column.codes] == values
    assert list(column.values) == list(dict.fromkeys(value for value in values if value is not None))


@pytest.mark.parametrize(("values", "dtype"), [(127, np.int8), (128, np.int8), (129, np.int16), (40_000, np.int32)])
def test_the_smallest_type(values, dtype):
    column = code(pa.array(range(values)), pa.array([None, values - 1]))
    assert column.codes.dtype == dtype
    assert column.codes[-2:].tolist() == [-1, values - 1] and column.codes.max() == values - 1


def test_no_examples():
    assert code().codes.shape == (0,) and list(code().values) == []
