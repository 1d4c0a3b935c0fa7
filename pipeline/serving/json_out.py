"""Writes responses as JSON by TensorFlow Serving's rules: rows or columns, a single output without its name, exact floats."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from pipeline.serving.status import Refusal


def write(outputs: Mapping[str, np.ndarray], rows: bool) -> str:
    """The response to a request in rows, {"predictions": [...]}, or in columns, {"outputs": ...}.

    Several outputs form an object by name; a single output has no name. Names ending in `_bytes` are {"b64": ...}.

    Args:
        outputs: {name: array}.
        rows: whether the request was in rows.

    Raises:
        Refusal: the request was in rows, and the outputs differ in their number of rows.
    """
    written = {name: _values(array, name.endswith("_bytes")) for name, array in sorted(outputs.items())}
    if not rows:
        alone = next(iter(written.values()))
        return f'{{"outputs": {_text(alone) if len(written) == 1 else _object(written)}}}'
    sizes = {}
    for name, array in sorted(outputs.items()):
        if array.ndim == 0:
            raise Refusal("INVALID_ARGUMENT", f"Tensor name: {name} has no shape information ")
        sizes[name] = len(array)
        expected = next(iter(sizes.values()))
        if sizes[name] != expected:
            raise Refusal(
                "INVALID_ARGUMENT",
                f"Tensor name: {name} has inconsistent batch size: {sizes[name]} expecting: {expected}",
            )
    if len(written) == 1:
        return f'{{"predictions": {_text(next(iter(written.values())))}}}'
    items = (_object(dict(zip(written, row, strict=True))) for row in zip(*written.values(), strict=True))
    return f'{{"predictions": [{", ".join(items)}]}}'


def error(message: str) -> str:
    """The body of an error response."""
    return json.dumps({"error": message}, ensure_ascii=False)


def decimal(value: Any) -> str:
    """A float as TensorFlow Serving writes it: with six digits if they are exact, else with all; never as an integer.

    Args:
        value: np.float32 or np.float64.
    """
    if not np.isfinite(value):
        return "NaN" if np.isnan(value) else "-Infinity" if value < 0 else "Infinity"
    text = f"{value:.6g}"
    if type(value)(text) != value:
        text = f"{value:.{9 if isinstance(value, np.float32) else 17}g}"
    return text if "." in text or "e" in text else f"{text}.0"


def _values(array: Any, as_bytes: bool) -> Any:
    """Nested lists of formatted values."""
    if np.ndim(array):
        return [_values(part, as_bytes) for part in array]
    value = array[()] if isinstance(array, np.ndarray) else array
    if isinstance(value, bytes):
        if as_bytes:
            return json.dumps({"b64": base64.b64encode(value).decode("ascii")})
        return json.dumps(value.decode("utf-8", "replace"), ensure_ascii=False)
    if isinstance(value, np.bool_):
        return "true" if value else "false"
    if isinstance(value, np.float32 | np.float64):
        return decimal(value)
    if isinstance(value, np.integer):
        return str(int(value))
    raise Refusal("INVALID_ARGUMENT", f"Failed to write JSON value for tensor type: {type(value).__name__}")


def _text(written: Any) -> str:
    return f"[{', '.join(map(_text, written))}]" if isinstance(written, list) else written


def _object(named: Mapping[str, Any]) -> str:
    return "{" + ", ".join(f"{json.dumps(name)}: {_text(value)}" for name, value in named.items()) + "}"
