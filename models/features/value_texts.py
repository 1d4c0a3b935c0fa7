"""The canonical text of a value, which keys, `where`, labels, vocabularies and requests share.

    "7.0", "7.000", 7.0 and the decimal 7.00 are "7"; "-0.0" is "0"; "True" and "TRUE" are "true".

A text equals a number only if it is the number with zeros after the decimal point, as written by a program that converted
a column to floats or decimals. "007", "+7", "1e3", " 7 ", "7." and "1.50" stay distinct texts, because ids, versions and
hashes look like them. The patterns have the same meaning in Python, polars and TensorFlow.
"""

from __future__ import annotations

import re

WHOLE = r"^(?:-(0)|(-?[1-9][0-9]*|0))\.0+$"
"""A whole number with a decimal point. Its canonical text is the group that matched."""

BOOLEANS = {"True": "true", "TRUE": "true", "False": "false", "FALSE": "false"}
"""{variant of a truth value: canonical text}."""

REWRITTEN = r"^(?:(?:-?[1-9][0-9]*|-?0)\.0+|True|TRUE|False|FALSE)$"
"""Matches every text that is not canonical."""


def text_of(value: str | int | float | bool) -> str:
    """The canonical text of a value."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2.0**63 else str(value)
    text = str(value)
    whole = re.fullmatch(WHOLE, text)
    return (whole[1] or whole[2]) if whole else BOOLEANS.get(text, text)
