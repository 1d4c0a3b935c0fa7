"""The files that a stream's path matches, and the message if there are none."""

from __future__ import annotations

import difflib
import glob
import os
import posixpath
from collections.abc import Sequence

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


def matched_files(data: str, path: str | Sequence[str], what: str) -> list[str]:
    """The files that a path matches (a file or glob, relative to the folder `data`), sorted, as absolute paths or URLs.

    With several paths: the files that any of them matches.

    Raises:
        InputError: no file matches; names the absolute pattern and the content of the nearest folder that exists. Or the
            store of a URL cannot be reached.
    """
    folder, paths = absolute(data), [path] if isinstance(path, str) else path
    found = sorted({file for one in paths for file in matching(folder, one)})
    if not found:
        raise InputError(f"{what}: {no_file(folder, paths[-1])}")
    return found


def no_file(folder: str, path: str) -> str:
    """Says that no file matches a path, and what the nearest folder that exists contains."""
    return f"no file matches {joined(folder, path)}. {_nearest(folder, path)}"


def format_of(file: str, declared: str | None, what: str) -> str:
    """The file's format: the declared one, or the one of its ending (before .gz and similar).

    Raises:
        InputError: the ending is not known.
    """
    if declared:
        return declared
    name, ending = os.path.splitext(file.lower())
    if ending in _COMPRESSED:
        ending = os.path.splitext(name)[1]
    if ending not in FORMATS:
        known = ", ".join(FORMATS)
        raise InputError(
            f"{what}: the ending of {file} does not tell its format. Known endings: {known}. Or set `format:`."
        )
    return FORMATS[ending]


def is_compressed(file: str) -> bool:
    """Whether the file's ending is one of a compressed text."""
    return os.path.splitext(file.lower())[1] in _COMPRESSED


def _nearest(data: str, path: str) -> str:
    folder, below, wanted = joined(data, path), path.strip("/"), ""
    while glob.has_magic(below) or not is_folder(folder):
        wanted, folder, below = posixpath.basename(folder), posixpath.dirname(folder), posixpath.dirname(below)
    names = names_in(folder)
    near = difflib.get_close_matches(wanted, names, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return f"The nearest existing folder is {folder}; it contains {', '.join(names[:10]) or 'nothing'}{more}.{hint}"
