"""One compiled pass over large arrays, where TensorFlow's own kernels would make many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf


def one_pass(initializer: Callable[..., Any]) -> Callable[..., Any]:
    """An initializer that does the same in one pass: uncompiled, random numbers, their range and its start are three
    arrays of the variable's size at once."""

    def fill(shape: Sequence[int], dtype: Any = None) -> Any:
        return compiled(lambda: initializer(shape, dtype=dtype))

    return fill


def compiled(work: Callable[[], Any]) -> Any:
    """What `work` gives, as a compiled part of a function that is not: to be called while that one is traced."""
    # By its concrete function, because TensorFlow warns of many functions that are called once.
    return tf.function(work, jit_compile=True, autograph=False).get_concrete_function()()
