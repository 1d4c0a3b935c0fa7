"""Floats as whole numbers in the same order: their bits, the sign turned round."""

from __future__ import annotations

from typing import Any

import numpy as np


def rising_keys(values: np.ndarray) -> np.ndarray:
    """(value,) uint32 or uint64 that sort like the float32 or float64 numbers; -0.0 comes right before 0.0."""
    kind = np.dtype(f"u{values.dtype.itemsize}")
    bits = values.view(kind)
    return np.where(bits & _sign(kind), ~bits, bits | _sign(kind))


def numbers_of(keys: np.ndarray) -> np.ndarray:
    """The inverse of `rising_keys`."""
    numbers = np.where(keys & _sign(keys.dtype), keys ^ _sign(keys.dtype), ~keys)
    return numbers.view(np.dtype(f"f{keys.dtype.itemsize}"))


def _sign(kind: np.dtype[Any]) -> Any:
    return kind.type(1 << (8 * kind.itemsize - 1))
