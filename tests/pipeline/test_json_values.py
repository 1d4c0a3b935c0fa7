from __future__ import annotations

import math

import numpy as np
import pytest

from models.recipe.errors import InputError
from pipeline.json_values import json_object, jsonable


def test_texts_numbers_and_bytes() -> None:
    assert jsonable(np.array([[b"a", "\u00fc".encode()], [b"\xff", b""]], object)) == [
        ["a", "ü"],
        [{"b64": "/w=="}, ""],
    ]
    assert jsonable(np.array([1.5, 2.0], np.float32)) == [1.5, 2.0]
    assert jsonable(np.array(2**62)) == 2**62
    assert jsonable(np.array(7, object)) == 7
    assert jsonable(np.zeros((2, 0), object)) == [[], []]


WRONG = {
    '{"a": 1': r"here: not valid JSON \(Expecting .*\); expected one object",
    '{"a": 1} {}': r"here: not valid JSON \(Extra data\)",
    "[" * 100_000: r"here: not valid JSON \(maximum recursion depth",
    '{"a": ' + "9" * 5_000 + "}": r"here: not valid JSON \(Exceeds the limit",
    "[1]": "here: expected a JSON object column -> value, received list",
    '{"a": 1, "b": 2, "a": 1}': "here: the key 'a' occurs twice. Keep one.",
    '{"user": {"a": 1, "a": 2}}': "here: the key 'a' occurs twice. Keep one.",
}


@pytest.mark.parametrize("text", WRONG, ids=lambda text: text[:20])
def test_no_object(text: str) -> None:
    with pytest.raises(InputError, match=WRONG[text]):
        json_object(text, "here")


def test_an_object() -> None:
    value = json_object('{"a": NaN, "b": [{"c": 1}, {"c": 2}]}', "here")
    assert math.isnan(value.pop("a")) and value == {"b": [{"c": 1}, {"c": 2}]}
