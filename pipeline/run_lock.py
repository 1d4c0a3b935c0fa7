"""The lock of a recipe's folder under a root: one run at a time, and no rollback during a run."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from models.recipe.errors import InputError

LOCK = ".lock"


@contextlib.contextmanager
def alone(home: Path, busy: str) -> Iterator[None]:
    """Locks the folder. Two runs on one metadata store would overwrite each other's records.

    Args:
        home: the recipe's folder; created if it is missing.
        busy: the message if another process has the lock.

    Raises:
        InputError: another process has the lock.
    """
    home.mkdir(parents=True, exist_ok=True)
    with open(home / LOCK, "w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(busy) from None
        yield
