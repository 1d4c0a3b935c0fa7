"""Which files there are: globs, what lies in a folder, sizes."""

from __future__ import annotations

import fnmatch
import glob
import os
import posixpath
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from models.locations import is_url


def absolute(location: str) -> str:
    """An absolute path, or the URL without a slash at its end."""
    return location.rstrip("/") if is_url(location) else os.path.abspath(location)


def joined(folder: str, path: str) -> str:
    """`path` relative to `folder`."""
    if not is_url(folder):
        return os.path.join(folder, path)
    # A URL has nothing like a file system's root: the folder is the highest that `path` can name.
    return posixpath.join(folder.rstrip("/"), path.lstrip("/"))


def relative(folder: str, file: str) -> str:
    """The path of `file` from `folder`, with forward slashes."""
    if is_url(folder):
        return file.removeprefix(absolute(folder) + "/")
    return Path(os.path.relpath(file, absolute(folder))).as_posix()


def matching(folder: str, pattern: str) -> list[str]:
    """The files that a glob below `folder` matches, sorted; the folder itself is no glob.

    `*`, `?` and `[...]` match within one name, `**` any number of folders; hidden names only where the pattern begins with
    a dot, as Python's `glob` has it, also at a URL.

    Raises:
        InputError: the store refuses, is not reached, or has no such bucket.
    """
    folder = absolute(folder)
    if not is_url(folder):
        found = glob.glob(os.path.join(glob.escape(folder), pattern), recursive=True)
        # Two `**` find a file in several ways.
        return sorted({file for file in found if os.path.isfile(file)})
    names = [name for name in pattern.split("/") if name not in ("", ".")]
    plain = 0
    while plain < len(names) - 1 and not glob.has_magic(names[plain]):
        plain += 1
    base = "/".join([folder, *names[:plain]])
    wanted = names[plain:]
    files = _listing().files_below(base, recursive=len(wanted) > 1 or wanted == ["**"])
    return sorted(f"{base}/{file}" for file in files if _matches(file.split("/"), wanted))


def _matches(names: Sequence[str], pattern: Sequence[str]) -> bool:
    if not pattern:
        return not names
    if pattern[0] == "**":
        below = bool(names) and not names[0].startswith(".") and _matches(names[1:], pattern)
        return below or _matches(names, pattern[1:])
    return bool(names) and _fits(names[0], pattern[0]) and _matches(names[1:], pattern[1:])


def _fits(name: str, pattern: str) -> bool:
    if not glob.has_magic(pattern):
        return name == pattern
    return (pattern[0] == "." or name[0] != ".") and fnmatch.fnmatchcase(name, pattern)


def is_folder(location: str) -> bool:
    """Whether there is a folder; at a URL, whether something lies below it."""
    return _listing().is_folder(location) if is_url(location) else os.path.isdir(location)


def exists(location: str) -> bool:
    """Whether there is a file or a folder."""
    return _listing().exists(location) if is_url(location) else os.path.exists(location)


def size_of(file: str) -> int:
    """Bytes.

    Raises:
        OSError, InputError: there is no such file.
    """
    return _listing().version_of(file)[0] if is_url(file) else os.path.getsize(file)


def names_in(folder: str) -> list[str]:
    """The names of what lies in a folder, sorted; those of folders end with a slash. Without hidden ones."""
    if is_url(folder):
        found = _listing().names_in(folder)
    else:
        found = [entry.name + "/" * entry.is_dir() for entry in Path(folder).iterdir()]
    return sorted(name for name in found if not name.startswith("."))


def _listing() -> ModuleType:
    """Arrow takes a while to import, and where all files are local nothing here needs it."""
    from components.storage import listing

    return listing
