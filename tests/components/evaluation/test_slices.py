from __future__ import annotations

import numpy as np
import pytest

from components.evaluation.slices import Coded, one_slice, select, slices

DEVICE = Coded(codes=np.array([0, 1, 0, -1, 1, 0]), values=("phone", "tablet"))
LAND = Coded(codes=np.array([0, 0, 1, 1, -1, 0]), values=("at", "ch"))


def as_dict(found):
    return {values: np.flatnonzero(found.codes == code).tolist() for code, values in enumerate(found.values)}


def test_one_column_largest_first_and_missing_is_a_value():
    found = slices([DEVICE], 10)
    assert found.values == (("phone",), ("tablet",), ("(missing)",))
    assert found.codes.tolist() == [0, 1, 0, 2, 1, 0] and found.codes.dtype == np.uint8
    assert as_dict(found) == {("phone",): [0, 2, 5], ("tablet",): [1, 4], ("(missing)",): [3]}


def test_crossed():
    assert as_dict(slices([DEVICE, LAND], 10)) == {
        ("phone", "at"): [0, 5],
        ("phone", "ch"): [2],
        ("tablet", "at"): [1],
        ("(missing)", "ch"): [3],
        ("tablet", "(missing)"): [4],
    }


def test_only_the_largest_ties_by_value():
    found = slices([DEVICE, LAND], 2)
    assert found.values == (("phone", "at"), ("(missing)", "ch"))
    assert found.codes.tolist() == [0, 2, 2, 1, 2, 0]  # 2: in none of them


def test_against_a_slow_reference():
    generator = np.random.default_rng(0)
    columns = [Coded(codes=generator.integers(-1, size, 500), values=tuple("abcdefgh"[:size])) for size in (3, 8, 2)]
    expected: dict = {}
    for row in range(500):
        values = tuple("(missing)" if c.codes[row] < 0 else c.values[c.codes[row]] for c in columns)
        expected.setdefault(values, []).append(row)
    assert as_dict(slices(columns, 1000)) == expected


def test_no_examples():
    found = slices([Coded(codes=np.zeros(0, np.int64), values=())], 5)
    assert found.values == () and found.codes.shape == (0,)


def test_select():
    columns = {"device": DEVICE, "land": LAND}

    def rows(slice_):
        return np.flatnonzero(select(columns, slice_, 6)).tolist()

    assert rows({}) == [0, 1, 2, 3, 4, 5]
    assert rows({"device": "phone", "land": "at"}) == [0, 5]
    assert rows({"device": "(missing)"}) == [3]
    assert rows({"device": "watch"}) == []
    assert one_slice(select(columns, {"device": "tablet"}, 6)).codes.tolist() == [1, 0, 1, 1, 0, 1]


def test_columns_whose_crossing_would_be_huge():
    many = Coded(codes=np.array([5, 5, -1, 2_000_000]), values=tuple(map(str, range(2_000_001))))
    assert as_dict(slices([many, many], 2)) == {("5", "5"): [0, 1], ("(missing)", "(missing)"): [2]}


@pytest.mark.parametrize(
    ("values", "value", "found"),
    [
        (("3", "30"), 3, [0]),
        (("3.0", "30.0"), 3, [0]),
        (("0.1", "0.2"), 0.1, [0]),
        (("3.5", "3"), 3.5, [0]),
        (("true", "false"), True, [0]),
        (("9007199254740993", "9007199254740992"), 9007199254740993, [0]),
        (("3", "x"), "3", [0]),
    ],
)
def test_scalars_of_a_recipe_find_their_values(values, value, found):
    assert Coded(codes=np.array([0, 1]), values=values).where(value).nonzero()[0].tolist() == found
