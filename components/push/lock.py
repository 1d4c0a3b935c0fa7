"""One process at a time in a folder of versions."""

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
"""TensorFlow Serving looks only at folders whose whole name is a number."""

LONGEST_WAIT = 600.0
"""Seconds. The system frees the lock of a process that ends, however it ends; but not that of one that is stopped, and some
file servers not that of a machine that is gone."""

_held = threading.local()


@contextlib.contextmanager
def alone_in(folders: Iterable[Path], wait: float = LONGEST_WAIT) -> Iterator[bool]:
    """Waits until no other process is in any of the folders, which are made if missing. Within itself it is free.

    Where the file system has no locks, or the wait is over, it goes on all the same and says so: pushes do not overwrite each
    other's files, locked or not, but two at once may then be refused a number.

    Args:
        folders: of versions. They are locked in one order, so that two processes never wait for each other.
        wait: seconds at most, in each folder.

    Yields:
        Whether all of the locks are held.

    Raises:
        InputError: something that is no folder is in the place of one.
    """
    paths = sorted({Path(os.path.realpath(folder)) for folder in folders})
    for path in paths:
        try:
            path.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise InputError(
                f"Push: {path}: expected a folder of versions, or none yet ({error.strerror}). Move away what is there."
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
                logger.warning("Push: another push to %s has not ended within %g s; going on beside it.", folder, wait)
                return False
            time.sleep(0.05)
        except OSError as error:
            logger.warning("Push: %s cannot be locked: %s", folder, os.strerror(error.errno or 0))
            return False
        else:
            return True
