"""A JSON object as a person writes it into a request."""

from __future__ import annotations

import math

import pytest

from models.recipe.errors import InputError
from pipeline.json_object import json_object

WRONG = {
    '{"a": 1': r"here: no valid JSON \(Expecting .*\); expected one object",
    '{"a": 1} {}': r"here: no valid JSON \(Extra data\)",
    "[" * 100_000: r"here: no valid JSON \(maximum recursion depth",
    '{"a": ' + "9" * 5_000 + "}": r"here: no valid JSON \(Exceeds the limit",
    "[1]": "here: expected a JSON object column -> value, received list",
    '{"a": 1, "b": 2, "a": 1}': "here: the key 'a' stands twice. Keep one.",
    '{"user": {"a": 1, "a": 2}}': "here: the key 'a' stands twice. Keep one.",
}


@pytest.mark.parametrize("text", WRONG, ids=lambda text: text[:20])
def test_no_object(text: str) -> None:
    with pytest.raises(InputError, match=WRONG[text]):
        json_object(text, "here")


def test_an_object() -> None:
    value = json_object('{"a": NaN, "b": [{"c": 1}, {"c": 2}]}', "here")
    assert math.isnan(value.pop("a")) and value == {"b": [{"c": 1}, {"c": 2}]}
