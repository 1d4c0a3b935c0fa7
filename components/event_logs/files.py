"""Which files a stream's path means, and what to say when it means none."""

from __future__ import annotations

import difflib
import glob
import os
import posixpath

from components.storage.finding import absolute, is_folder, joined, matching, names_in
from models.recipe.errors import InputError

FORMATS = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
}
_COMPRESSED = {".gz", ".bz2", ".zst", ".lz4", ".xz"}


def matched_files(data: str, path: str, what: str) -> list[str]:
    """The files that `path` (a file or glob, relative to the folder `data`) means, sorted, as absolute paths or URLs.

    Raises:
        InputError: none; says the absolute pattern, and what lies in the nearest folder that exists. Or the store of a
            URL is not reached.
    """
    folder = absolute(data)
    found = matching(folder, path)
    if not found:
        raise InputError(f"{what}: no file matches {joined(folder, path)}. {_nearest(folder, path)}")
    return found


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
    folder, below, wanted = joined(data, path), path.strip("/"), ""
    while glob.has_magic(below) or not is_folder(folder):
        wanted, folder, below = posixpath.basename(folder), posixpath.dirname(folder), posixpath.dirname(below)
    names = names_in(folder)
    near = difflib.get_close_matches(wanted, names, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return f"The nearest folder that exists is {folder}; in it: {', '.join(names[:10]) or 'nothing'}{more}.{hint}"
