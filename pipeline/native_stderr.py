"""Keeps what native libraries write to standard error out of a person's sight, without losing it."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TextIO


@contextlib.contextmanager
def native_stderr_to(file: int) -> Iterator[TextIO]:
    """Standard error goes to the file descriptor `file`; yields a stream to where it went before.

    TensorFlow's C++ parts write to descriptor 2 whatever Python does with sys.stderr, and before any setting of theirs.
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
