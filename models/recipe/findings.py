"""Pydantic errors in plain words: a list, a whole number, at least 1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_EXPECTED = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "dict_type": "a mapping (key: value)",
    "finite_number": "a finite number",
    "float_parsing": "a number",
    "float_type": "a number",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "at least {ge}",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number of 64 bits",
    "int_type": "a whole number",
    "less_than": "a number below {lt}",
    "less_than_equal": "at most {le}",
    "mapping_type": "a mapping (key: value)",
    "model_attributes_type": "a mapping (key: value)",
    "model_type": "a mapping (key: value)",
    "string_too_long": "at most {max_length} characters",
    "string_too_short": "at least {min_length} characters",
    "string_type": "a text",
    "string_unicode": "a text of valid Unicode",
    "too_long": "at most {max_length} items",
    "too_short": "at least {min_length} items",
    "tuple_type": "a list",
}
"""Type of a pydantic error -> expected value, with the limits from its context."""


def in_words(detail: Mapping[str, Any]) -> str:
    """Message such as "expected a list" for an error of `pydantic.ValidationError.errors()`. A rare error keeps pydantic's message."""
    if detail["type"] == "value_error":
        return str(detail["ctx"]["error"])
    expected = _EXPECTED.get(detail["type"])
    return f"expected {expected.format(**detail.get('ctx', {}))}" if expected else str(detail["msg"])
