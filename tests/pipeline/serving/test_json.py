"""REST's JSON, by the rules that TensorFlow Serving documents and its sources keep."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from pipeline.serving import json_in, json_out
from pipeline.serving.status import Refusal

ONE = {"x": tf.float32}
TWO = {"text": tf.string, "n": tf.int64}


def arrays(text: str, inputs: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    found, rows = json_in.tensors(json_in.read(text.encode("utf-8")), inputs)
    return {name: tf.make_ndarray(proto).tolist() for name, proto in found.items()}, rows


@pytest.mark.parametrize(
    ("text", "inputs", "expected"),
    [
        ('{"instances": [1, 2.5]}', ONE, {"x": [1, 2.5]}),
        ('{"instances": [[1, 2], [3, 4]]}', ONE, {"x": [[1, 2], [3, 4]]}),
        ('{"instances": [{"x": 1}, {"x": 2}]}', ONE, {"x": [1, 2]}),
        ('{"instances": [{"x": [1]}]}', ONE, {"x": [[1]]}),
        (
            '{"instances": [{"text": "a", "n": 1}, {"n": 2, "text": "ü"}]}',
            TWO,
            {"text": [b"a", "ü".encode()], "n": [1, 2]},
        ),
        ('{"instances": [{"b64": "AAE="}, {"b64": "/w"}]}', {"t": tf.string}, {"t": [b"\x00\x01", b"\xff"]}),
        ('{"inputs": {"b64": "AAE="}}', {"t": tf.string}, {"t": b"\x00\x01"}),
        ('{"inputs": 2}', ONE, {"x": 2}),
        ('{"inputs": [[1], [2]]}', ONE, {"x": [[1], [2]]}),
        ('{"inputs": {"text": ["a"], "n": [[7]], "more": 1}}', TWO, {"text": [b"a"], "n": [[7]]}),
        ('{"inputs": {"text": [], "n": [[]]}}', TWO, {"text": [], "n": [[]]}),
        ('{"inputs": [true, false]}', {"b": tf.bool}, {"b": [True, False]}),
        ('{"inputs": [9223372036854775807]}', {"n": tf.int64}, {"n": [2**63 - 1]}),
        ('{"inputs": [-2147483648]}', {"n": tf.int32}, {"n": [-(2**31)]}),
    ],
)
def test_what_is_read(text: str, inputs: dict[str, Any], expected: dict[str, Any]) -> None:
    assert arrays(text, inputs) == (expected, "instances" in text)


def test_numbers_that_are_none() -> None:
    (values,) = arrays('{"inputs": [NaN, Infinity, -Infinity]}', ONE)[0].values()
    assert np.isnan(values[0]) and values[1:] == [np.inf, -np.inf]


@pytest.mark.parametrize(
    ("text", "inputs", "words"),
    [
        ("", ONE, "JSON Parse error: The document is empty"),
        ("{", ONE, "JSON Parse error: "),
        ("[1]", ONE, "Is not object"),
        ('{"instances": [1e999]}', ONE, "Number too big to be stored in double."),
        ("[" * 100_000, ONE, "JSON Parse error: "),
        ('{"instances": [' + "1" * 5000 + "]}", ONE, "JSON Parse error: "),
        ('{"x": 1}', ONE, "Missing 'inputs' or 'instances' key"),
        ('{"instances": [1], "inputs": [1]}', ONE, "expecting only one of 'inputs' or 'instances'"),
        ('{"instances": 1}', ONE, "Excepting 'instances' to be an list/array"),
        ('{"instances": []}', ONE, "No values in 'instances' array"),
        ('{"instances": [1]}', TWO, "instances is a plain list, but expecting list of objects"),
        ('{"instances": [{"n": 1}]}', TWO, "keys must be equal to: n,text"),
        ('{"instances": [{"n": 1, "text": "a", "z": 1}]}', TWO, "does not have named input: z"),
        ('{"instances": [{"x": 1}, 2]}', ONE, "Expecting object but got list at item 1"),
        ('{"instances": [1, {"x": 2}]}', ONE, "Expecting value/list but got object at item 1"),
        ('{"instances": [{"x": [1]}, {"x": [1, 2]}]}', ONE, "Expecting shape [1] but got: [2]"),
        ('{"inputs": [[1], [2, 3]]}', ONE, "Encountered list at unexpected size: 2 at level: 1 expected size: 1"),
        ('{"inputs": [1, [2]]}', ONE, "Encountered list at unexpected level: 1 expected < 1"),
        ('{"inputs": [[1], 2]}', ONE, "found at incorrect level: 2"),
        ('{"inputs": ["a"]}', ONE, 'JSON Value: "a" Type: String is not of expected type: float'),
        ('{"inputs": [true]}', ONE, "Type: Bool is not of expected type: float"),
        ('{"inputs": [null]}', {"t": tf.string}, "Type: Null is not of expected type: string"),
        ('{"inputs": [1]}', {"t": tf.string}, "Type: Number is not of expected type: string"),
        ('{"inputs": [1.0]}', {"n": tf.int64}, "Type: Number is not of expected type: int64"),
        ('{"inputs": [9223372036854775808]}', {"n": tf.int64}, "is not of expected type: int64"),
        ('{"inputs": [2147483648]}', {"n": tf.int32}, "is not of expected type: int32"),
        ('{"inputs": [16777216]}', ONE, "Cannot convert JSON value: 16777216 to float without loss of precision"),
        ('{"inputs": [1e39]}', ONE, "to float without loss of precision"),
        ('{"inputs": {"n": 1}}', TWO, "Missing named input: text in 'inputs' object."),
        ('{"inputs": [1]}', TWO, "inputs is a plain value/list, but expecting an object"),
        ('{"inputs": {"b64": "*"}}', {"t": tf.string}, "Unable to base64 decode"),
        ('{"inputs": [{"b64": "AA", "c": 1}]}', {"t": tf.string}, "not formatted correctly for base64 data"),
        ('{"inputs": ["\\ud800"]}', {"t": tf.string}, "surrogate"),
    ],
)
def test_what_is_refused(text: str, inputs: dict[str, Any], words: str) -> None:
    with pytest.raises(Refusal) as refusal:
        arrays(text, inputs)
    assert refusal.value.code == "INVALID_ARGUMENT" and words in refusal.value.message


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(Refusal, match="JSON Parse error"):
        json_in.read(b'{"a": "\xff"}')


def test_a_signature_name_is_a_text() -> None:
    assert json_in.signature_name({"signature_name": "rank"}) == "rank" and json_in.signature_name({}) == ""
    with pytest.raises(Refusal, match="'signature_name' key must be a string value"):
        json_in.signature_name({"signature_name": 100})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        # of TensorFlow Serving's own documentation and tests
        (np.float32(0.2), "0.2"),
        (np.float32(9000000), "9e+06"),
        (np.float32(0.00003), "3e-05"),
        (np.float32(5), "5.0"),
        (np.float32(1 / 3), "0.333333343"),
        (np.float64(1 / 3), "0.33333333333333331"),
        (np.float32("nan"), "NaN"),
        (np.float32("-inf"), "-Infinity"),
        (np.float32(16777215), "16777215.0"),
    ],
)
def test_decimals(value: Any, text: str) -> None:
    assert json_out.decimal(value) == text
    assert np.array_equal(type(value)(float(text)), value, equal_nan=True)


def test_answers_in_rows_and_columns() -> None:
    one = {"y": np.array([[1, 2], [3, 4]], "f4")}
    two = {**one, "n_bytes": np.array([b"\xff", b"a"], object)}
    assert json.loads(json_out.write(one, rows=True)) == {"predictions": [[1, 2], [3, 4]]}
    assert json.loads(json_out.write(one, rows=False)) == {"outputs": [[1, 2], [3, 4]]}
    assert json.loads(json_out.write(two, rows=True)) == {
        "predictions": [{"n_bytes": {"b64": "/w=="}, "y": [1, 2]}, {"n_bytes": {"b64": "YQ=="}, "y": [3, 4]}]
    }
    assert json.loads(json_out.write(two, rows=False)) == {
        "outputs": {"n_bytes": [{"b64": "/w=="}, {"b64": "YQ=="}], "y": [[1, 2], [3, 4]]}
    }
    others = {"i": np.int64(7), "b": np.array([True]), "s": np.array([b"\xff"], object)}
    assert json.loads(json_out.write(others, rows=False)) == {"outputs": {"i": 7, "b": [True], "s": ["\ufffd"]}}


@pytest.mark.parametrize(
    ("outputs", "words"),
    [
        (
            {"a": np.zeros(2, "f4"), "b": np.zeros(3, "f4")},
            "Tensor name: b has inconsistent batch size: 3 expecting: 2",
        ),
        ({"a": np.float32(1)}, "Tensor name: a has no shape information"),
    ],
)
def test_answers_that_are_no_rows(outputs: dict[str, Any], words: str) -> None:
    with pytest.raises(Refusal, match=words):
        json_out.write(outputs, rows=True)
