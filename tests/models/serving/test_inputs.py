"""Rows of a request as serialized tf.Examples."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tensorflow as tf

from models.recipe.errors import InputError
from models.serving.inputs import read_expected, read_exported_at, read_inputs, serialize_examples, typical_row

INPUTS = {
    "device": {"type": "bytes", "multivalued": False, "side": "context"},
    "tags": {"type": "bytes", "multivalued": True, "side": "item"},
    "age": {"type": "float", "multivalued": False, "side": "user"},
    "item": {"type": "int", "multivalued": False, "side": "item"},
}


def values(example: bytes) -> dict[str, list[object]]:
    features = tf.train.Example.FromString(example).features.feature
    return {name: list(getattr(feature, feature.WhichOneof("kind")).value) for name, feature in features.items()}


def test_values_become_the_columns_types() -> None:
    rows = [{"device": "Gerät", "tags": ["a", b"\xff", 7], "age": 30, "item": -5}, {"tags": "one", "age": [1.5]}]
    assert [values(example) for example in serialize_examples(rows, INPUTS)] == [
        {"device": ["Gerät".encode()], "tags": [b"a", b"\xff", b"7"], "age": [30.0], "item": [-5]},
        {"tags": [b"one"], "age": [1.5]},
    ]


def test_a_text_with_the_separator_is_split_as_in_the_logs() -> None:
    inputs = {"tags": {**INPUTS["tags"], "separator": "|"}, "device": INPUTS["device"]}
    (example,) = serialize_examples([{"tags": "a|b c|", "device": "x|y"}], inputs)
    # The empty text behind the last separator is missing in the graph, as every empty text is.
    assert values(example) == {"tags": [b"a", b"b c", b""], "device": [b"x|y"]}


def test_missing_is_left_out_none_or_empty() -> None:
    (nothing, explicit) = serialize_examples([{}, {"device": None, "tags": [], "age": None, "item": []}], INPUTS)
    assert values(nothing) == {}
    assert values(explicit) == {"device": [], "tags": [], "age": [], "item": []}


def test_numbers_that_are_not_finite_are_left_to_the_graph() -> None:
    (example,) = serialize_examples([{"age": float("-inf")}], INPUTS)
    assert values(example) == {"age": [float("-inf")]}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"devcie": "phone"}, r"Request 1: unknown column 'devcie'; did you mean 'device'\? Known: age, device"),
        ({"device": 1.5}, r"Request 1, column 'device': expected a text, received 1\.5"),
        ({"device": ["a", "b"]}, r"column 'device': expected one value, received 2"),
        ({"tags": [{"a": 1}]}, r"column 'tags': expected a text, received \{'a': 1\}"),
        ({"item": "12"}, r"column 'item': expected a whole number of 64 bits, received '12'"),
        ({"item": 12.5}, r"column 'item': expected a whole number"),
        ({"item": 2**63}, r"column 'item': expected a whole number of 64 bits"),
        ({"age": "30"}, r"column 'age': expected a number of 32 bits, received '30'"),
        ({"age": False}, r"column 'age': expected a number of 32 bits"),
        ({"age": 1e39}, r"expected a number of 32 bits, received 1e\+39"),
        ({"age": 10**400}, r"expected a number of 32 bits"),
        ([1, 2], r"Request 1: expected an object of columns and values, received \[1, 2\]"),
    ],
)
def test_what_does_not_fit_is_refused(row: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        serialize_examples([{}, row], INPUTS)  # type: ignore[list-item]


def test_half_a_character_is_refused() -> None:
    with pytest.raises(InputError, match=r"column 'device': expected a text of Unicode characters, received '\\ud800'"):
        serialize_examples([{"device": "\ud800"}], {"device": {"type": "bytes", "multivalued": False}})


def test_a_typical_row_has_a_value_in_every_column() -> None:
    (example,) = serialize_examples([typical_row(INPUTS)], INPUTS)
    assert values(example) == {"device": [b""], "tags": [b""], "age": [0.0], "item": [0]}


def test_notes_are_read_or_their_absence_explained(tmp_path: Path) -> None:
    (tmp_path / "assets.extra").mkdir()
    (tmp_path / "assets.extra" / "inputs.json").write_text(json.dumps({"inputs": INPUTS, "exported_at": 1700000000}))
    assert read_inputs(tmp_path)["inputs"] == INPUTS
    assert read_exported_at(tmp_path) == 1700000000
    with pytest.raises(InputError, match=r"found no assets\.extra/expected\.json.*which contains saved_model\.pb"):
        read_expected(tmp_path)
