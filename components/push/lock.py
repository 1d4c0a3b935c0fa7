"""A lock that admits one process at a time to a folder of versions."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from models.recipe.errors import InputError

logger = logging.getLogger(__name__)

LOCK = ".push.lock"
"""TensorFlow Serving reads only folders with a number as name."""

LONGEST_WAIT = 600.0
"""Seconds. The system frees the lock when a process ends in any way, but not while it is stopped. Some file servers do not free
the lock of a machine that is gone."""

_held = threading.local()


@contextlib.contextmanager
def alone_in(folders: Iterable[Path], wait: float = LONGEST_WAIT) -> Iterator[bool]:
    """Waits until no other process holds the lock of any of the folders. Creates missing folders. The lock is reentrant.

    If the file system has no locks, or the wait is over, it continues without the lock and logs a warning. Pushes never
    overwrite each other's files, but without the lock one of two simultaneous pushes may be refused a number.

    Args:
        folders: folders of versions. They are locked in a fixed order, so two processes never deadlock.
        wait: maximum seconds to wait for each folder.

    Yields:
        Whether all locks are held.

    Raises:
        InputError: a path exists and is not a folder.
    """
    paths = sorted({Path(os.path.realpath(folder)) for folder in folders})
    for path in paths:
        try:
            path.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise InputError(
                f"Push: {path}: expected a folder of versions or no file ({error.strerror}). Move the existing file away."
            ) from None
    with contextlib.ExitStack() as stack:
        yield all([stack.enter_context(_alone(path, wait)) for path in paths])


@contextlib.contextmanager
def _alone(folder: Path, wait: float) -> Iterator[bool]:
    held: dict[Path, bool] = _held.__dict__.setdefault("folders", {})
    if folder in held:
        yield held[folder]
        return
    with open(folder / LOCK, "a", encoding="utf-8") as file:
        held[folder] = _locked(file.fileno(), folder, wait)
        try:
            yield held[folder]
        finally:
            del held[folder]


def _locked(descriptor: int, folder: Path, wait: float) -> bool:
    end, told = time.monotonic() + wait, False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not told:
                logger.warning("Push: waiting for another push to %s.", folder)
                told = True
            if time.monotonic() > end:
                logger.warning(
                    "Push: another push to %s did not end within %g s; continuing without the lock.", folder, wait
                )
                return False
            time.sleep(0.05)
        except OSError as error:
            logger.warning("Push: cannot lock %s: %s", folder, os.strerror(error.errno or 0))
            return False
        else:
            return True
