"""Lists object stores: objects are files, and the parts of a key before a slash are folders."""

from __future__ import annotations

from pyarrow import fs

from components.storage.stores import answers_of, no_bucket, store_of


def is_folder(url: str) -> bool:
    """Whether something lies below a URL."""
    return _info(url).type == fs.FileType.Directory


def exists(url: str) -> bool:
    """Whether something lies at or below a URL."""
    return _info(url).type != fs.FileType.NotFound


def version_of(url: str) -> tuple[int, int]:
    """(bytes, nanoseconds since 1970 of its last change) of a file: another one for each time that it was written.

    Stores count the time in seconds, some of them: two writes of equal length within one second are the same version.

    Raises:
        InputError: there is no such file.
    """
    info = _info(url)
    if info.type != fs.FileType.File:
        with answers_of(url):
            raise FileNotFoundError(url)
    return info.size, info.mtime_ns


def names_in(url: str) -> list[str]:
    """The names of what lies in a folder, those of folders with a slash at the end; [] where there is nothing."""
    return [info.base_name + "/" * (info.type == fs.FileType.Directory) for info in _infos(url, recursive=False)]


def files_below(url: str, recursive: bool) -> list[str]:
    """The files in a folder, or in all folders below it, too, by their paths from there; [] where there is nothing.

    Raises:
        InputError: the store refuses, is not reached, or has no such bucket.
    """
    _, path = store_of(url)
    return [info.path[len(path) + 1 :] for info in _infos(url, recursive) if info.type == fs.FileType.File]


def _info(url: str) -> fs.FileInfo:
    store, path = store_of(url)
    with answers_of(url):
        return store.get_file_info(path)


def _infos(url: str, recursive: bool) -> list[fs.FileInfo]:
    store, path = store_of(url)
    with answers_of(url):
        found = store.get_file_info(fs.FileSelector(path, recursive=recursive, allow_not_found=True))
        if not found and store.get_file_info(path.partition("/")[0]).type == fs.FileType.NotFound:
            raise no_bucket(url)
    return found
