"""One text for one value, in whatever way it is written: what keys, `where`, labels, vocabularies and requests agree on.

    "7.0", "7.000", 7.0 and the decimal 7.00 are "7"; "-0.0" is "0"; "True" and "TRUE" are "true".

A text is another way to write a number only if it is that number with zeros behind the point, which a program adds that
made a whole column floats or decimals. "007", "+7", "1e3", " 7 ", "7." and "1.50" are texts of their own, because ids,
versions and hashes look like them. The patterns mean the same to Python, to polars and to TensorFlow.
"""

from __future__ import annotations

import re

WHOLE = r"^(?:-(0)|(-?[1-9][0-9]*|0))\.0+$"
"""A whole number with a point; it is written as the one of the two groups that matched."""

BOOLEANS = {"True": "true", "TRUE": "true", "False": "false", "FALSE": "false"}
"""{another way to write a truth value: its text}."""

REWRITTEN = r"^(?:(?:-?[1-9][0-9]*|-?0)\.0+|True|TRUE|False|FALSE)$"
"""Every text that is not itself the text of its value."""


def text_of(value: str | int | float | bool) -> str:
    """The text of a value."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2.0**63 else str(value)
    text = str(value)
    whole = re.fullmatch(WHOLE, text)
    return (whole[1] or whole[2]) if whole else BOOLEANS.get(text, text)
