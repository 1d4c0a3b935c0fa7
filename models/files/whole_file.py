"""Atomic writes of text files. Devices and pipes are written to directly."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(path: str | Path, text: str) -> None:
    """Writes a UTF-8 text file under a temporary name in the same folder, then renames it. Creates the folder.

    Args:
        path: path on a local or mounted file system with atomic renames. Replaces an existing file, or the target of a
            link. A device, a pipe or a stream of this process (/dev/stdout) is written to directly.
        text: the whole content.

    Raises:
        OSError: the file cannot be written. The old file stays, and the temporary file is removed.
    """
    if _is_stream(path):
        with open(os.open(path, os.O_WRONLY | os.O_APPEND), "w", encoding="utf-8") as stream:
            stream.write(text)
        return
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _is_stream(path: str | Path) -> bool:
    """Whether the path exists and is neither a file nor a folder, or is a stream of this process."""
    given = os.path.abspath(path).startswith(("/dev/fd/", "/dev/std", "/proc/self/fd/"))
    return os.path.exists(path) and (given or not (os.path.isfile(path) or os.path.isdir(path)))
