"""Names of columns as inputs of the served signatures, which TensorFlow restricts."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable

_TAKEN = ("self",)
"""Parameter names of the TensorFlow functions that call a signature."""


def argument_names(columns: Iterable[str]) -> dict[str, str]:
    """{column: name in a signature}: the same name if TensorFlow and Python allow it.

    Otherwise `_` replaces invalid characters, and a name that does not begin with a letter or is a Python keyword gets
    the prefix `column_`. Each collision with another column, ignoring case as TensorFlow does, appends a `_`.
    """
    columns = list(columns)
    names: dict[str, str] = {}
    used: set[str] = set()
    for column in (*filter(is_argument_name, columns), *columns):  # columns that keep their names come first
        if column not in names:
            name = re.sub(r"[^A-Za-z0-9_]", "_", column)
            name = name if is_argument_name(name) else f"column_{name}"
            while name.lower() in used:
                name += "_"
            names[column] = name
            used.add(name.lower())
    return {column: names[column] for column in columns}


def is_argument_name(name: str) -> bool:
    """Whether an input of a signature can have this name."""
    allowed = re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) is not None
    return allowed and not keyword.iskeyword(name) and name not in _TAKEN
