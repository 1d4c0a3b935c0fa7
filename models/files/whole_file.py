"""Text files that are there whole or not at all; what is no file, such as a device or a pipe, is written into."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(path: str | Path, text: str) -> None:
    """Writes a UTF-8 text file under a temporary name beside it and renames it; makes its folder.

    Args:
        path: of a local or mounted file system, where renaming is atomic. What is there is replaced: of a link, what it
            points to. A device, a pipe, or a stream of this process (/dev/stdout) is written into and stays.
        text: the whole content.

    Raises:
        OSError: it cannot be written; of a file, what was there is still there and nothing is left beside it.
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
    """Whether the path is there and no file or folder; or a stream that this process was given, whatever that is."""
    given = os.path.abspath(path).startswith(("/dev/fd/", "/dev/std", "/proc/self/fd/"))
    return os.path.exists(path) and (given or not (os.path.isfile(path) or os.path.isdir(path)))
