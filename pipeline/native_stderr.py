"""Redirects what native libraries write to standard error into a file."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TextIO


@contextlib.contextmanager
def native_stderr_to(file: int) -> Iterator[TextIO]:
    """Redirects standard error to the file descriptor `file`. Yields a stream to the original standard error.

    TensorFlow's C++ code writes to descriptor 2 regardless of sys.stderr, and before its own settings apply.
    """
    sys.stderr.flush()
    before = os.dup(2)
    os.dup2(file, 2)
    screen = os.fdopen(os.dup(before), "w", encoding="utf-8")
    try:
        yield screen
    finally:
        sys.stderr.flush()
        os.dup2(before, 2)
        os.close(before)
        screen.close()
