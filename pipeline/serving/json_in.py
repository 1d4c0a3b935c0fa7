"""Converts a REST request's JSON to the inputs of a PredictRequest, by TensorFlow Serving's rules.

`instances` is a list of rows. A row is an object with every named input, or a plain value if there is one input. `inputs` has
whole columns. Strings may be {"b64": ...}; lists must be rectangular; numbers must fit their type.
Reference: https://www.tensorflow.org/tfx/serving/api_rest
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from pipeline.serving.status import Refusal

_INTEGERS = {
    tf.int8: (-(2**31), 2**31 - 1),  # TensorFlow Serving itself takes any 32 bits for the small types
    tf.uint8: (-(2**31), 2**31 - 1),
    tf.int16: (-(2**31), 2**31 - 1),
    tf.int32: (-(2**31), 2**31 - 1),
    tf.int64: (-(2**63), 2**63 - 1),
    tf.uint32: (0, 2**32 - 1),
    tf.uint64: (0, 2**64 - 1),
}
_FLOATS = {
    tf.float32: (2**24 - 1, float(np.finfo(np.float32).max)),
    tf.float64: (2**53 - 1, float(np.finfo(np.float64).max)),
}
_SHOWN = 200
"""Maximum number of characters of an invalid value in a message."""


def read(body: bytes) -> dict[str, Any]:
    """Parses the request's JSON object. NaN, Infinity and -Infinity are numbers.

    Raises:
        Refusal: the text is not a JSON object.
    """
    if not body:
        raise Refusal("INVALID_ARGUMENT", "JSON Parse error: The document is empty")
    try:
        document = json.loads(body.decode("utf-8"), parse_float=_decimal)
    except json.JSONDecodeError as error:
        raise Refusal("INVALID_ARGUMENT", f"JSON Parse error: {error.msg} at offset: {error.pos}") from None
    except (ValueError, RecursionError) as error:  # not UTF-8, too many digits, or nested too deeply
        raise Refusal("INVALID_ARGUMENT", f"JSON Parse error: {str(error)[:_SHOWN]}") from None
    if not isinstance(document, dict):
        raise Refusal("INVALID_ARGUMENT", f"JSON Value: {_shown(document)} Is not object")
    return document


def signature_name(document: Mapping[str, Any]) -> str:
    """Name of the signature in the request, or ""."""
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise Refusal(
            "INVALID_ARGUMENT",
            f"JSON Value: {_shown(document)} not formatted correctly. 'signature_name' key must be a string value.",
        )
    return name


def tensors(document: Mapping[str, Any], inputs: Mapping[str, tf.DType]) -> tuple[dict[str, Any], bool]:
    """The inputs of a request, and whether it has rows (`instances`).

    Args:
        document: result of `read`.
        inputs: {name: type} of the signature.

    Returns:
        {name: TensorProto}, and True for rows, False for columns.

    Raises:
        Refusal: the document does not fit the inputs.
    """
    rows, columns = "instances" in document, "inputs" in document
    if rows and columns:
        raise Refusal(
            "INVALID_ARGUMENT",
            f"JSON Value: {_shown(document)} Not formatted correctly expecting only one of 'inputs' or 'instances' keys "
            "to exist ",
        )
    if not rows and not columns:
        raise Refusal("INVALID_ARGUMENT", "Missing 'inputs' or 'instances' key")
    found = _from_rows(document["instances"], inputs) if rows else _from_columns(document["inputs"], inputs)
    return {name: _proto(*found[name], inputs[name]) for name in found}, rows


def _from_rows(instances: Any, inputs: Mapping[str, tf.DType]) -> dict[str, tuple[list[Any], tuple[int, ...]]]:
    if not isinstance(instances, list):
        raise Refusal("INVALID_ARGUMENT", f"JSON Value: {_shown(instances)} Excepting 'instances' to be an list/array")
    if not instances:
        raise Refusal("INVALID_ARGUMENT", "JSON Value: [] No values in 'instances' array")
    if not isinstance(instances[0], dict) and len(inputs) > 1:
        raise Refusal(
            "INVALID_ARGUMENT",
            "instances is a plain list, but expecting list of objects as multiple input tensors required as per "
            "tensorinfo_map",
        )
    objects = _is_object(instances[0])
    flat: dict[str, list[Any]] = {}
    shapes: dict[str, tuple[int, ...]] = {}
    for number, row in enumerate(instances):
        if _is_object(row) != objects:
            expected, got = ("object", "list") if objects else ("value/list", "object")
            raise Refusal("INVALID_ARGUMENT", f"Expecting {expected} but got {got} at item {number} of input list")
        named = row if objects else {next(iter(inputs)): row}
        for name, value in named.items():
            where = f"Failed to process element: {number} key: {name} of 'instances' list. Error: INVALID_ARGUMENT: "
            if name not in inputs:
                raise Refusal("INVALID_ARGUMENT", f"{where}JSON object: does not have named input: {name}")
            shape = _shape(value)
            if shapes.setdefault(name, shape) != shape:
                raise Refusal(
                    "INVALID_ARGUMENT", f"{where}Expecting shape {_text(shapes[name])} but got: {_text(shape)}"
                )
            try:
                _fill(value, 0, shape, inputs[name], flat.setdefault(name, []))
            except Refusal as refusal:
                raise Refusal("INVALID_ARGUMENT", where + refusal.message) from None
        if set(named) != set(inputs):
            raise Refusal(
                "INVALID_ARGUMENT",
                f"Failed to process element: {number} of 'instances' list. JSON object: {_shown(row)} keys must be equal "
                f"to: {','.join(sorted(inputs))}",
            )
    return {name: (values, (len(instances), *shapes[name])) for name, values in flat.items()}


def _from_columns(columns: Any, inputs: Mapping[str, tf.DType]) -> dict[str, tuple[list[Any], tuple[int, ...]]]:
    if not _is_object(columns):
        if len(inputs) > 1:
            raise Refusal(
                "INVALID_ARGUMENT",
                "inputs is a plain value/list, but expecting an object as multiple input tensors required as per "
                "tensorinfo_map",
            )
        columns = {next(iter(inputs)): columns}
    found = {}
    for name in sorted(inputs):
        if name not in columns:
            raise Refusal("INVALID_ARGUMENT", f"Missing named input: {name} in 'inputs' object.")
        values: list[Any] = []
        shape = _shape(columns[name])
        _fill(columns[name], 0, shape, inputs[name], values)
        found[name] = (values, shape)
    return found


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) and not _is_base64(value)


def _is_base64(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"b64"} and isinstance(value["b64"], str)


def _shape(value: Any) -> tuple[int, ...]:
    """Shape of a nested list, from the first element of each level."""
    sizes = []
    while isinstance(value, list):
        sizes.append(len(value))
        if not value:
            break
        value = value[0]
    return tuple(sizes)


def _fill(value: Any, level: int, shape: tuple[int, ...], dtype: tf.DType, flat: list[Any]) -> None:
    if not isinstance(value, list):
        if level != len(shape):
            raise Refusal(
                "INVALID_ARGUMENT",
                f"JSON Value: {_shown(value)} found at incorrect level: {level + 1} in the JSON DOM. Expected at level: "
                f"{len(shape)}",
            )
        flat.append(_value(value, dtype))
        return
    if level >= len(shape):
        raise Refusal("INVALID_ARGUMENT", f"Encountered list at unexpected level: {level} expected < {len(shape)}")
    if len(value) != shape[level]:
        raise Refusal(
            "INVALID_ARGUMENT",
            f"Encountered list at unexpected size: {len(value)} at level: {level} expected size: {shape[level]}",
        )
    for inner in value:
        _fill(inner, level + 1, shape, dtype, flat)


def _value(value: Any, dtype: tf.DType) -> Any:
    if dtype == tf.string and isinstance(value, dict):
        return _decoded(value)
    if dtype == tf.string and isinstance(value, str):
        try:
            return value.encode("utf-8")
        except UnicodeEncodeError:
            raise Refusal("INVALID_ARGUMENT", "JSON Parse error: The surrogate pair in string is invalid.") from None
    if dtype == tf.bool and isinstance(value, bool):
        return value
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if dtype in _INTEGERS and number and isinstance(value, int):
        lowest, highest = _INTEGERS[dtype]
        if lowest <= value <= highest:
            return value
    if dtype in _FLOATS and number:
        whole, largest = _FLOATS[dtype]
        if abs(value) > whole if isinstance(value, int) else np.isfinite(value) and abs(value) > largest:
            name = "float" if dtype == tf.float32 else "double"
            raise Refusal(
                "INVALID_ARGUMENT", f"Cannot convert JSON value: {_shown(value)} to {name} without loss of precision."
            )
        return float(value)
    if dtype not in (tf.string, tf.bool, *_INTEGERS, *_FLOATS):
        raise Refusal("UNIMPLEMENTED", f"Conversion of JSON Value: {_shown(value)} to type: {dtype.name}")
    raise Refusal(
        "INVALID_ARGUMENT",
        f"JSON Value: {_shown(value)} Type: {_TYPES[type(value)]} is not of expected type: {_name(dtype)}",
    )


_TYPES = {
    dict: "Object",
    list: "Array",
    str: "String",
    int: "Number",
    float: "Number",
    bool: "Bool",
    type(None): "Null",
}


def _name(dtype: tf.DType) -> str:
    return {tf.float32: "float", tf.float64: "double"}.get(dtype, dtype.name)


def _decoded(value: Mapping[str, Any]) -> bytes:
    if not _is_base64(value):
        raise Refusal("INVALID_ARGUMENT", f"JSON Value: {_shown(value)} not formatted correctly for base64 data")
    text = re.sub(r"\s", "", value["b64"]).rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise Refusal("INVALID_ARGUMENT", "Unable to base64 decode") from None


def _proto(values: list[Any], shape: tuple[int, ...], dtype: tf.DType) -> Any:
    if dtype in _INTEGERS and dtype.size < 4:
        values = np.array(values, np.int64).astype(dtype.as_numpy_dtype).tolist()
    return tf.make_tensor_proto(values, dtype=dtype, shape=shape)


def _decimal(text: str) -> float:
    value = float(text)
    if np.isinf(value):
        raise ValueError("Number too big to be stored in double.")
    return value


def _shown(value: Any) -> str:
    return json.dumps(value)[:_SHOWN]


def _text(shape: tuple[int, ...]) -> str:
    return f"[{','.join(map(str, shape))}]"
