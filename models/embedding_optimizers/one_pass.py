"""Compiled operations on large arrays in one pass, where TensorFlow's own kernels need several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf


def one_pass(initializer: Callable[..., Any]) -> Callable[..., Any]:
    """Compiles an initializer into one pass. Without compilation, it holds three arrays of the size of the variable."""

    def fill(shape: Sequence[int], dtype: Any = None) -> Any:
        return compiled(lambda: initializer(shape, dtype=dtype))

    return fill


def compiled(work: Callable[[], Any]) -> Any:
    """Result of `work` as a compiled part of a function that is not compiled. Call it while that function is traced."""
    # Calls the concrete function: TensorFlow warns about many functions that are called once.
    return tf.function(work, jit_compile=True, autograph=False).get_concrete_function()()
