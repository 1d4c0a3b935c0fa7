"""What the machine refuses (a full disk, a limit, a right), told in one line with the cure: it is no defect of gatewise."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import tempfile
from collections.abc import Iterator

from models.recipe.errors import GatewiseError, InputError

_GOES_ON = "then the same command goes on from the last finished stage"
_FAULTS = (
    (
        r"No space left on device|database or disk is full|Disk quota exceeded",
        "the disk is full, or your quota of it ({said}). Free some space, or name a place on another disk: --root, or for temporary "
        f"files TMPDIR, which lie in {{temporary}} now; {_GOES_ON}.",
    ),
    (
        r"No usable temporary directory",
        f"temporary files can be written nowhere ({{said}}). Free some space there, or name a place by TMPDIR; {_GOES_ON}.",
    ),
    (
        r"File too large",
        f"a file is larger than the process may write ({{said}}). Raise `ulimit -f`, or the file system's limit; {_GOES_ON}.",
    ),
    (r"Too many open files", f"too many files are open ({{said}}). Raise `ulimit -n`, such as to 65536; {_GOES_ON}."),
    (
        r"Read-only file system",
        "the file system is mounted for reading only ({said}). Name a place that can be written.",
    ),
    (
        r"disk I/O error",
        "the metadata store cannot be written ({said}). Is the disk full, `ulimit -f` too low, or the file on a network file "
        f"system without locks? Mend that; {_GOES_ON}.",
    ),
    (r"database is locked", f"another process has locked the metadata store ({{said}}). Wait for it; {_GOES_ON}."),
)


@contextlib.contextmanager
def machine_faults_told() -> Iterator[None]:
    """A block whose errors become an InputError where the machine is at fault.

    Raises:
        InputError: in place of such an error, whose traceback it keeps as its cause.
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
    """The line for an error, or for the one that it comes from; None where the machine is not at fault.

    Engines and libraries wrap the system's error into their own, with its text: so the text decides.
    """
    while error is not None:
        for pattern, message in _FAULTS:
            if line := next((line for line in str(error).splitlines() if re.search(pattern, line)), None):
                return message.format(said=_short(line), temporary=_temporary())
        if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EPERM) and error.filename:
            return (
                f"{error.filename}: {error.strerror}. gatewise must be able to read and write there: mend the rights, or name "
                "another place."
            )
        error = error.__cause__ or error.__context__
    return None


def _temporary() -> str:
    """Where temporary files go; asking Python for it anew would need some space there."""
    return tempfile.tempdir or os.environ.get("TMPDIR", "/tmp")


def _short(line: str) -> str:
    line = re.sub(r" \[while running .*", "", line).strip()
    return line if len(line) <= 300 else f"{line[:300]} ..."
