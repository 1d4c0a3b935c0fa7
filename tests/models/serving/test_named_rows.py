"""Rows of a request as named columns, and what is no such row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from models.recipe.argument_names import argument_names
from models.recipe.errors import InputError
from models.serving.named_rows import named_columns, rank_columns

INPUTS: dict[str, dict[str, Any]] = {
    "name": {"type": "bytes", "multivalued": False, "side": "user"},
    "item": {"type": "int", "multivalued": False, "side": "item"},
    "tags": {"type": "bytes", "multivalued": True, "side": "item", "separator": "|"},
    "device": {"type": "bytes", "multivalued": False, "side": "context"},
    "price": {"type": "float", "multivalued": False, "side": "item"},
}


def test_rows_become_arrays() -> None:
    rows = [{"name": "a", "item": [7], "tags": "x|y", "price": 2}, {"item": None, "tags": [5], "name": b"\xff"}, {}]
    columns = named_columns(rows, INPUTS, INPUTS, "test")
    assert columns["name"].tolist() == [b"a", b"\xff", b""]
    assert columns["item"].tolist() == [7, -(2**63), -(2**63)] and columns["item"].dtype == np.int64
    assert columns["tags"].tolist() == [[b"x", b"y"], [b"5", b""], [b"", b""]]
    np.testing.assert_array_equal(columns["price"], np.array([2, np.nan, np.nan], "f4"))
    assert columns["price"].dtype == np.float32
    assert {name: array.shape for name, array in named_columns([], INPUTS, INPUTS, "test").items()} == {
        name: (0, 0) if name == "tags" else (0,) for name in INPUTS
    }


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("name", 507.0, b"507"),
        ("name", 507, b"507"),
        ("name", "507.00", b"507"),
        ("name", True, b"true"),
        ("name", "TRUE", b"true"),
        ("name", "007", b"007"),
        ("name", float("nan"), b""),
        ("item", 507.0, 507),
        ("item", float("nan"), -(2**63)),
    ],
)
def test_a_value_is_what_it_is_in_the_logs(column: str, value: Any, expected: Any) -> None:
    assert named_columns([{column: value}], INPUTS, [column], "test")[column].tolist() == [expected]


def test_a_ranking_request_has_the_user_once() -> None:
    request = {"user": {"name": "a", "device": "tv"}, "candidates": [{"item": 1}, {"item": 2, "tags": ["x"]}]}
    columns = rank_columns(request, INPUTS)
    assert {name: len(array) for name, array in columns.items()} == {
        "name": 1,
        "device": 1,
        "item": 2,
        "tags": 2,
        "price": 2,
    }
    assert len(rank_columns({"candidates": [{"device": "tv"}]}, INPUTS)["device"]) == 1


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"nam": "a"}, "row 0: unknown column 'nam'; did you mean 'name'?"),
        ({"name": ["a", "b"]}, "column 'name': expected one value, received 2"),
        ({"name": 1.5}, "column 'name': expected a text, received 1.5"),
        ({"name": 2.0**53}, "expected a text, received 9007199254740992.0"),
        ({"item": 7.5}, "expected a whole number of 64 bits, received 7.5"),
        ({"name": "\ud800"}, "expected a text of Unicode characters"),
        ({"item": "7"}, "column 'item': expected a whole number of 64 bits, received '7'"),
        ({"item": True}, "expected a whole number"),
        ({"item": 2**63}, "expected a whole number of 64 bits"),
        ({"price": 1e39}, "expected a number of 32 bits"),
        ({"tags": [None]}, "column 'tags': expected a text, received None"),
        ([], "row 0: expected an object of columns and values"),
    ],
)
def test_what_is_no_row(row: Any, words: str) -> None:
    with pytest.raises(InputError) as error:
        named_columns([row], INPUTS, INPUTS, "test")
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ([], 'expected {"user": {column: value}, "candidates"'),
        ({"users": {}, "candidates": []}, 'expected {"user"'),
        ({"user": {}}, "expected an object 'user' and a list 'candidates'"),
        ({"user": [], "candidates": 3}, "expected an object 'user' and a list"),
        ({"candidates": [{"name": "a"}]}, "candidate 0: the column 'name' is a user column"),
        ({"user": {"device": "a"}, "candidates": [{}, {"device": "b"}]}, "candidate 1: the column 'device'"),
        ({"user": {"nam": "a"}, "candidates": []}, "Request, user, row 0: unknown column 'nam'"),
        ({"candidates": [{}, 3]}, "Request, candidates, row 1: expected an object"),
    ],
)
def test_what_is_no_ranking_request(request_: Any, words: str) -> None:
    with pytest.raises(InputError) as error:
        rank_columns(request_, INPUTS)
    assert words in str(error.value)


def test_names_of_inputs_are_letters_digits_and_underscores() -> None:
    assert argument_names(["age", "a b", "a/b", "7up", "_x", "Ümlaut"]) == {
        "age": "age",
        "a b": "a_b",
        "a/b": "a_b_",
        "7up": "column_7up",
        "_x": "column__x",
        "Ümlaut": "column__mlaut",
    }
