"""Reports faults of the machine (full disk, limits, permissions) in one line with the remedy, without a traceback."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import tempfile
from collections.abc import Iterator

from models.recipe.errors import GatewiseError, InputError

_GOES_ON = "then run the command again to resume from the last finished stage"
_FAULTS = (
    (
        r"No space left on device|database or disk is full|Disk quota exceeded",
        "the disk or your quota is full ({said}). Free some space, or choose another disk with --root, or with TMPDIR for "
        f"temporary files (now {{temporary}}); {_GOES_ON}.",
    ),
    (
        r"No usable temporary directory",
        f"no folder for temporary files is writable ({{said}}). Free some space there, or set TMPDIR to another folder; {_GOES_ON}.",
    ),
    (
        r"File too large",
        f"a file exceeds the size limit of the process ({{said}}). Raise `ulimit -f` or the file system's limit; {_GOES_ON}.",
    ),
    (r"Too many open files", f"too many files are open ({{said}}). Raise `ulimit -n`, such as to 65536; {_GOES_ON}."),
    (
        r"Read-only file system",
        "the file system is mounted read-only ({said}). Choose a writable folder.",
    ),
    (
        r"disk I/O error",
        "the metadata store cannot be written ({said}). Check whether the disk is full, `ulimit -f` is too low, or the file is on "
        f"a network file system without locks; {_GOES_ON}.",
    ),
    (
        r"database is locked",
        f"another process has locked the metadata store ({{said}}). Wait until it ends; {_GOES_ON}.",
    ),
)


@contextlib.contextmanager
def machine_faults_told() -> Iterator[None]:
    """In this context, an error caused by the machine is raised as an InputError.

    Raises:
        InputError: the machine is at fault. The original error is its cause.
    """
    try:
        yield
    except GatewiseError:
        raise
    except Exception as error:
        message = machine_fault(error)
        if message is None:
            raise
        raise InputError(message) from error


def machine_fault(error: BaseException | None) -> str | None:
    """The message for an error or one of its causes; None if the machine is not at fault.

    Engines and libraries wrap the system's error and keep its text, so the text is matched.
    """
    while error is not None:
        for pattern, message in _FAULTS:
            if line := next((line for line in str(error).splitlines() if re.search(pattern, line)), None):
                return message.format(said=_short(line), temporary=_temporary())
        if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EPERM) and error.filename:
            return (
                f"{error.filename}: {error.strerror}. gatewise must be able to read and write there: change the permissions, "
                "or choose another folder."
            )
        error = error.__cause__ or error.__context__
    return None


def _temporary() -> str:
    """The folder of temporary files. `tempfile.gettempdir` is not called, because it needs free space."""
    return tempfile.tempdir or os.environ.get("TMPDIR", "/tmp")


def _short(line: str) -> str:
    line = re.sub(r" \[while running .*", "", line).strip()
    return line if len(line) <= 300 else f"{line[:300]} ..."
