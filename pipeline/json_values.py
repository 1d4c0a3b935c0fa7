"""JSON as a person writes it into a request, and arrays as JSON has them."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np

from models.recipe.errors import InputError


def jsonable(values: np.ndarray) -> Any:
    """Nested lists; bytes as text, or as {"b64": ...} where they are no UTF-8."""
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
    """The object that a text holds.

    Args:
        text: JSON, with NaN and Infinity as numbers.
        where: the place of the text, put before each error.

    Raises:
        InputError: no JSON, no object, or a key that stands twice.
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in found if keys.count(key) > 1)
            raise InputError(f"{where}: the key {twice!r} stands twice. Keep one.")
        return found

    try:
        value = json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:  # a number of too many digits, or lists nested too deeply
        raise InputError(f"{where}: no valid JSON ({getattr(error, 'msg', error)}); expected one object.") from None
    if not isinstance(value, dict):
        raise InputError(f"{where}: expected a JSON object column -> value, received {type(value).__name__}.")
    return value
