"""Columns as inputs of a served model's signatures, whose names TensorFlow restricts."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable

_TAKEN = ("self",)
"""Parameters of TensorFlow's own functions through which a signature is called."""


def argument_names(columns: Iterable[str]) -> dict[str, str]:
    """{column: its name in a signature}: the same wherever TensorFlow and Python allow it.

    Else with `_` for the characters that are not allowed in a name, and `column_` before what begins with none of the
    letters or is a word of Python's; with `_` behind it as often as another column has that name. Small and capital
    letters are the same to TensorFlow.
    """
    columns = list(columns)
    names: dict[str, str] = {}
    used: set[str] = set()
    for column in (*filter(is_argument_name, columns), *columns):  # who may keep his name comes first
        if column not in names:
            name = re.sub(r"[^A-Za-z0-9_]", "_", column)
            name = name if is_argument_name(name) else f"column_{name}"
            while name.lower() in used:
                name += "_"
            names[column] = name
            used.add(name.lower())
    return {column: names[column] for column in columns}


def is_argument_name(name: str) -> bool:
    """Whether an input of a signature can be called so."""
    allowed = re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) is not None
    return allowed and not keyword.iskeyword(name) and name not in _TAKEN
