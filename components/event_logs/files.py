"""Which files a stream's path means, and what to say when it means none. Standard library only: assembly uses it."""

from __future__ import annotations

import difflib
import glob
import os
from pathlib import Path

from models.errors import InputError

FORMATS = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
}
_COMPRESSED = {".gz", ".bz2", ".zst", ".lz4"}


def matched_files(data: str, path: str, what: str) -> list[str]:
    """The files that `path` (a file or glob, relative to the folder `data`) means, sorted, as absolute paths.

    Raises:
        InputError: none; says the absolute pattern, and what lies in the nearest folder that exists.
    """
    folder = os.path.abspath(data)
    # The folder is no glob: brackets in its name stand for themselves.
    pattern = os.path.join(glob.escape(folder), path)
    found = sorted(file for file in glob.glob(pattern, recursive=True) if os.path.isfile(file))
    if not found:
        raise InputError(f"{what}: no file matches {os.path.join(folder, path)}. {_nearest(folder, path)}")
    return found


def relative(data: str, file: str) -> str:
    """The file's name in books and messages: its path from `data`, with forward slashes."""
    return Path(os.path.relpath(file, os.path.abspath(data))).as_posix()


def format_of(file: str, declared: str | None, what: str) -> str:
    """The file's format: the declared one, or by its ending (before .gz and the like).

    Raises:
        InputError: the ending says nothing.
    """
    if declared:
        return declared
    name, ending = os.path.splitext(file.lower())
    if ending in _COMPRESSED:
        ending = os.path.splitext(name)[1]
    if ending not in FORMATS:
        known = ", ".join(FORMATS)
        raise InputError(f"{what}: the ending of {file} does not tell its format. Known: {known}; or write `format:`.")
    return FORMATS[ending]


def is_compressed(file: str) -> bool:
    """Whether the file's ending says that its text is compressed."""
    return os.path.splitext(file.lower())[1] in _COMPRESSED


def _nearest(data: str, path: str) -> str:
    folder, wanted = Path(data, path), ""
    while glob.has_magic(os.path.relpath(folder, data)) or not folder.is_dir():
        wanted, folder = folder.name, folder.parent
    names = sorted(entry.name + "/" * entry.is_dir() for entry in folder.iterdir() if not entry.name.startswith("."))
    near = difflib.get_close_matches(wanted, names, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return f"The nearest folder that exists is {folder}; in it: {', '.join(names[:10]) or 'nothing'}{more}.{hint}"
