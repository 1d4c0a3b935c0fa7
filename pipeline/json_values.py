"""Parses the JSON of a request, and converts arrays to JSON."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np

from models.recipe.errors import InputError


def jsonable(values: np.ndarray) -> Any:
    """Nested lists. Bytes become text, or {"b64": ...} if they are not UTF-8."""
    if values.dtype.kind not in "OS":
        return values.tolist()
    if values.ndim:
        return [jsonable(part if isinstance(part, np.ndarray) else np.array(part, object)) for part in values]
    value = values.item()
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return {"b64": base64.b64encode(value).decode("ascii")}


def json_object(text: str, where: str) -> dict[str, Any]:
    """Parses a JSON object.

    Args:
        text: JSON, with NaN and Infinity as numbers.
        where: location of the text; prefix of each error message.

    Raises:
        InputError: the text is not JSON, is not an object, or repeats a key.
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in found if keys.count(key) > 1)
            raise InputError(f"{where}: the key {twice!r} occurs twice. Keep one.")
        return found

    try:
        value = json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:  # a number has too many digits, or lists are nested too deeply
        raise InputError(f"{where}: not valid JSON ({getattr(error, 'msg', error)}); expected one object.") from None
    if not isinstance(value, dict):
        raise InputError(f"{where}: expected a JSON object column -> value, received {type(value).__name__}.")
    return value
