"""Fingerprint of the logs, taken when the pipeline is assembled, because TFX's cache does not read log files."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from components.event_logs.files import matched_files
from components.event_logs.spans import check_spans
from components.storage.finding import relative
from models.recipe.errors import InputError
from models.recipe.locations import is_url
from models.recipe.spans import paths_of, spans_of

if TYPE_CHECKING:
    from models.recipe.night import Night
    from models.recipe.recipe import Recipe

Result = TypeVar("Result")

State = tuple[int, ...]
"""Detects a write without reading the file: device, inode, bytes, times of the last change of content and of status."""

_PIECE = 1 << 22
_SETTLED_NS = 2_000_000_000  # file times have a resolution of up to two seconds: a later write may leave the same state
_known: dict[str, tuple[State, int, str]] = {}


def fingerprint(recipe: Recipe, night: Night | None = None) -> str:
    """JSON {path relative to `data`: [bytes, hexadecimal BLAKE2b of the content]} of every file of every stream that a run reads.

    Touching or copying a file does not change the fingerprint; renaming it or changing one byte does.
    Files at a URL are not read: "@" and the time of the last change replace the digest (`storage.listing.version_of`).
    Such a file counts as changed even if it is written again with the same content, and its stage runs again.

    Raises:
        InputError: a stream's path matches no file, or a day has none (`spans.check_spans`), or a file cannot be read.
    """
    for name, stream in recipe.logs.streams.items() if recipe.logs else ():
        check_spans(recipe.data, name, stream.path, spans_of(recipe, name, night))
    return fingerprint_files(recipe.data, _paths(recipe, night))


def fingerprint_files(data: str, paths: Mapping[str, str | Sequence[str]]) -> str:
    """The fingerprint of any globs: {words for the message: one or several paths relative to `data`}."""
    files = sorted({file for what, path in paths.items() for file in matched_files(data, path, what)})
    found = dict(zip((relative(data, file) for file in files), of_each(identity, files), strict=True))
    return json.dumps(found, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def of_each(function: Callable[[str], Result], files: Sequence[str]) -> Iterator[Result]:
    """Like `storage.reading.of_each`, but without importing Arrow if all files are local."""
    if not any(map(is_url, files)):
        return map(function, files)
    from components.storage import reading

    return reading.of_each(function, files)


def identity(file: str) -> tuple[int, str]:
    """(bytes, digest or time of the last change) of a file, as in a fingerprint.

    A file that this process has already read is not read again while its state is the same.

    Raises:
        InputError: it cannot be read.
    """
    if is_url(file):
        return version(file, state_of(file))
    state, begin = state_of(file), time.time_ns()
    if file in _known and _known[file][0] == state:
        return _known[file][1:]
    size, digest = 0, hashlib.blake2b(digest_size=20)
    try:
        with open(file, "rb") as content:
            while piece := content.read(_PIECE):
                digest.update(piece)
                size += len(piece)
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}.") from None
    if is_settled(file, state, begin) and state_of(file) == state:
        _known[file] = (state, size, digest.hexdigest())
    return size, digest.hexdigest()


def version(file: str, state: State) -> tuple[int, str]:
    """(bytes, "@" and nanoseconds since 1970 of the last change): identifies the content without reading it."""
    size, changed = state if is_url(file) else state[2:4]
    return size, f"@{changed}"


def state_of(file: str) -> State:
    """The file's state; for a URL, (bytes, nanoseconds since 1970 of its last change).

    Raises:
        InputError: the file does not exist.
    """
    if is_url(file):
        from components.storage.listing import version_of

        return version_of(file)
    try:
        found = os.stat(file)
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}.") from None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def is_settled(file: str, state: State, moment: int) -> bool:
    """Whether any write after `moment` (nanoseconds since 1970) must have changed the file's state."""
    return is_url(file) or state[-1] < moment - _SETTLED_NS


def _paths(recipe: Recipe, night: Night | None) -> dict[str, str | Sequence[str]]:
    if recipe.logs is not None:
        streams = recipe.logs.streams.items()
        return {f"stream {name!r}": paths_of(stream.path, spans_of(recipe, name, night)) for name, stream in streams}
    if recipe.examples is not None:
        found = {key: getattr(recipe.examples, key) for key in ("path", "validate_path", "eval_path")}
        return {f"examples.{key}": path for key, path in found.items() if path}
    return {}
