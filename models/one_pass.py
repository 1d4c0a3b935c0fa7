"""One compiled pass that fills a large variable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf


def one_pass(initializer: Callable[..., Any]) -> Callable[..., Any]:
    """An initializer that does the same in one pass: uncompiled, random numbers, their range and its start are three
    arrays of the variable's size at once."""

    def fill(shape: Sequence[int], dtype: Any = None) -> Any:
        # By its concrete function, because TensorFlow warns of many functions that are called once.
        return tf.function(lambda: initializer(shape, dtype=dtype), jit_compile=True).get_concrete_function()()

    return fill
