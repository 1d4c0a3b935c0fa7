"""What a person reads of an error from inside a Beam pipeline."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from models.errors import InputError


@contextlib.contextmanager
def plain_messages() -> Iterator[None]:
    """Takes the step's name off an InputError: Beam appends it, and it is of no use to the reader of recipe and logs."""
    try:
        yield
    except InputError as error:
        raise InputError(re.sub(r" \[while running .*", "", str(error), flags=re.DOTALL)) from None
