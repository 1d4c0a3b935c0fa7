"""Finds files: globs, folder contents, sizes."""

from __future__ import annotations

import fnmatch
import glob
import os
import posixpath
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

from models.recipe.errors import InputError
from models.recipe.locations import is_url


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

    `*`, `?` and `[...]` match within one name, `**` any number of folders. Names that begin with `_` or `.` are not data,
    as in Spark and Hive (`_SUCCESS`, `_temporary/...`, `_delta_log`, `.part.crc`): they match only if the name in the
    pattern begins with the same character.

    Raises:
        InputError: a link is broken, or a folder cannot be listed. Or the store refuses access, cannot be reached, or has no
            such bucket.
    """
    folder = absolute(folder)
    if not is_url(folder) and os.path.isabs(pattern):
        folder = os.path.sep
    names = [name for name in pattern.split("/") if name not in ("", ".")]
    if not names:
        return []
    plain = 0
    while plain < len(names) - 1 and not glob.has_magic(names[plain]):
        plain += 1
    wanted = names[plain:]
    if not is_url(folder):
        return sorted(set(_walk(os.path.join(folder, *names[:plain]), wanted)))
    base = "/".join([folder, *names[:plain]])
    files = _listing().files_below(base, recursive=len(wanted) > 1 or wanted == ["**"])
    return sorted(f"{base}/{file}" for file in files if _matches(file.split("/"), wanted))


def _walk(folder: str, pattern: Sequence[str]) -> Iterator[str]:
    first, rest = pattern[0], pattern[1:]
    if first == "**" and rest:
        yield from _walk(folder, rest)
    for path in _paths(folder, first):
        if os.path.islink(path) and not os.path.exists(path):
            raise InputError(
                f"{path}: the link points to {os.readlink(path)}, which does not exist. Restore the file, or remove the link."
            )
        if os.path.isdir(path):
            if first == "**":
                # A link to a folder above would go round and round.
                if not f"{os.path.realpath(folder)}/".startswith(f"{os.path.realpath(path)}/"):
                    yield from _walk(path, pattern)
            elif rest:
                yield from _walk(path, rest)
        elif os.path.isfile(path) and not rest:
            yield path


def _paths(folder: str, pattern: str) -> list[str]:
    """What lies in the folder and fits one name of a pattern."""
    if not glob.has_magic(pattern):
        path = os.path.join(folder, pattern)
        return [path] if os.path.lexists(path) else []
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise InputError(
            f"{folder}: the folder cannot be listed ({error.strerror}), and files in it may match the path. Give the "
            "process permission to read it, or exclude it from the path."
        ) from None
    return [os.path.join(folder, name) for name in names if _fits(name, pattern)]


def _matches(names: Sequence[str], pattern: Sequence[str]) -> bool:
    if not pattern:
        return not names
    if pattern[0] == "**":
        below = bool(names) and _fits(names[0], "**") and _matches(names[1:], pattern)
        return below or _matches(names, pattern[1:])
    return bool(names) and _fits(names[0], pattern[0]) and _matches(names[1:], pattern[1:])


def _fits(name: str, pattern: str) -> bool:
    if not glob.has_magic(pattern):
        return name == pattern
    return (name[0] not in "_." or pattern[0] == name[0]) and fnmatch.fnmatchcase(name, pattern)


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
