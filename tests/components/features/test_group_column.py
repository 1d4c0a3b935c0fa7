from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from components.features.group_column import group_hashes
from models.features.groups import codes_of


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (pa.large_binary(), [[b"a"], [b""], [b"b"], [], None, [b"a"]]),
        (pa.large_string(), [["a"], [""], ["b"], [], None, ["a"]]),
        (pa.int64(), [[-1], [0], [2**62], [], None, [-1]]),
        (pa.float32(), [[0.5], [0.0], [1e9], [], None, [0.5]]),
    ],
)
def test_equal_values_are_a_group(kind: pa.DataType, values: list[Any]) -> None:
    """A row without a value is in none, and an empty text is a value."""
    pairs = group_hashes(pa.array(values, pa.large_list(kind)), "request")
    assert pairs.shape == (6, 2) and pairs.dtype == np.int32
    assert pairs.any(axis=1).tolist() == [True, True, True, False, False, True]
    codes = codes_of(pairs)
    assert codes[0] == codes[5] and len(np.unique(codes)) == 5


def test_a_slice_has_the_hashes_of_the_whole_and_a_number_those_of_its_text() -> None:
    texts = pa.array([[b"7"], [], [b"8"], [b"7"]], pa.large_list(pa.large_binary()))
    whole = group_hashes(texts, "request")
    np.testing.assert_array_equal(group_hashes(texts.slice(2), "request"), whole[2:])
    numbers = pa.array([[7], None, [8], [7]], pa.large_list(pa.int64()))
    np.testing.assert_array_equal(group_hashes(numbers, "request"), whole)
    assert group_hashes(texts.slice(0, 0), "request").shape == (0, 2)


def test_several_values_are_refused() -> None:
    column = pa.array([[b"a", b"b"]], pa.large_list(pa.large_binary()))
    with pytest.raises(ValueError, match="the group column 'request' must have at most one value in every row"):
        group_hashes(column, "request")
