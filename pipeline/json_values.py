"""Arrays as JSON has them."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np


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
