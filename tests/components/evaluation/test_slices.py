from __future__ import annotations

import numpy as np
import pytest

from components.evaluation.slices import Coded, select, slices

DEVICE = Coded(codes=np.array([0, 1, 0, -1, 1, 0]), values=("phone", "tablet"))
LAND = Coded(codes=np.array([0, 0, 1, 1, -1, 0]), values=("at", "ch"))


def as_dict(found):
    return {values: indices.tolist() for values, indices in found}


def test_one_column_largest_first_and_missing_is_a_value():
    found = slices([DEVICE], 10)
    assert [values for values, _ in found] == [("phone",), ("tablet",), ("(missing)",)]
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
    assert [values for values, _ in slices([DEVICE, LAND], 2)] == [("phone", "at"), ("(missing)", "ch")]


def test_against_a_slow_reference():
    generator = np.random.default_rng(0)
    columns = [Coded(codes=generator.integers(-1, size, 500), values=tuple("abcdefgh"[:size])) for size in (3, 8, 2)]
    expected: dict = {}
    for row in range(500):
        values = tuple("(missing)" if c.codes[row] < 0 else c.values[c.codes[row]] for c in columns)
        expected.setdefault(values, []).append(row)
    assert as_dict(slices(columns, 1000)) == expected


def test_no_examples():
    assert slices([Coded(codes=np.zeros(0, np.int64), values=())], 5) == []


def test_select():
    columns = {"device": DEVICE, "land": LAND}
    assert select(columns, {}) is None
    assert select(columns, {"device": "phone", "land": "at"}).tolist() == [0, 5]
    assert select(columns, {"device": "(missing)"}).tolist() == [3]
    assert select(columns, {"device": "watch"}).tolist() == []


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
    assert select({"c": Coded(codes=np.array([0, 1]), values=values)}, {"c": value}).tolist() == found
