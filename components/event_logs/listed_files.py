"""Checks that a stage reads exactly the files that were listed, and that none changes meanwhile. Otherwise the stage fails.

A digest identifies a file's content (`fingerprint.identity`). After reading, the file's state (inode, bytes, times) is
compared; the digest is compared again only for a file that was written in the last two seconds before reading.
Not detected: bytes that are written through a memory map that was dirty before, a change that is undone within the same tick
of the file system's clock, and on a network file system a change that is not yet in this machine's attribute cache.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import polars as pl

from components.event_logs.files import matched_files
from components.event_logs.fingerprint import Result, State, identity, is_settled, of_each, state_of, version
from components.storage.finding import absolute, matching, relative
from models.recipe.errors import InputError

_SHOWN = 3


class ListedFiles:
    """The files that match some globs, in their state before a stage reads them.

    Args:
        data: the folder.
        paths: {words for the message: one or several paths relative to `data`}.
        fingerprint: of `fingerprint_files`, taken when the pipeline was assembled; "" if no files were visible then. In that
            case they are listed now, and the time of the last change identifies the content of files not written just now.

    Attributes:
        identities: {path relative to `data`: (bytes, digest or time of the last change)}, sorted.

    Raises:
        InputError: the files differ from those listed at assembly, or no file matches a path.
    """

    def __init__(self, data: str, paths: Mapping[str, str | Sequence[str]], fingerprint: str = "") -> None:
        self._data = data
        self._paths = {what: (path,) if isinstance(path, str) else tuple(path) for what, path in paths.items()}
        self._moment = time.time_ns()
        if not fingerprint:
            matched = {file for what, globs in self._paths.items() for file in matched_files(data, globs, what)}
            self._files = {relative(data, file): file for file in sorted(matched)}
            self._states = self._of_each(state_of, self._files)
            self.identities = {name: self._first_identity(name) for name in self._files}
            return
        listed = json.loads(fingerprint)
        self.identities = {name: (int(size), str(content)) for name, (size, content) in sorted(listed.items())}
        self._files = self._there()
        self._refuse(_of_names(self.identities, self._files))
        self._states = self._of_each(state_of, self._files)
        self._refuse(_of_contents(self.identities, self._of_each(identity, self._files)))

    @contextlib.contextmanager
    def still(self) -> Iterator[None]:
        """A block that reads the files.

        Raises:
            InputError: instead of what the block raised, if anything: a file is gone or new, or was written.
        """
        try:
            yield
        except (Exception, pl.exceptions.PanicException):
            self._compare()
            raise
        self._compare()

    def require(self, files: Collection[str]) -> None:
        """Refuses to read other files than the listed ones.

        Raises:
            InputError: a file is gone or new.
        """
        self._refuse(_of_names(self.identities, {relative(self._data, file) for file in files}))

    def _compare(self) -> None:
        there = self._there()
        self._refuse(_of_names(self.identities, there))
        states = self._of_each(_state_or_gone, there)
        written = [name for name in self.identities if states[name] != self._states[name]]
        self._refuse([_difference(name, self.identities[name], _size(states[name])) for name in written])
        recent = [name for name, file in there.items() if not is_settled(file, self._states[name], self._moment)]
        self._refuse(_of_contents(self.identities, self._of_each(identity, {name: there[name] for name in recent})))

    def _there(self) -> dict[str, str]:
        folder = absolute(self._data)
        files = {file for globs in self._paths.values() for path in globs for file in matching(folder, path)}
        return {relative(self._data, file): file for file in sorted(files)}

    def _first_identity(self, name: str) -> tuple[int, str]:
        file, state = self._files[name], self._states[name]
        return version(file, state) if is_settled(file, state, self._moment) else identity(file)

    @staticmethod
    def _of_each(function: Callable[[str], Result], files: Mapping[str, str]) -> dict[str, Result]:
        return dict(zip(files, of_each(function, list(files.values())), strict=True))

    def _refuse(self, differences: list[str]) -> None:
        if not differences:
            return
        more = f"; and {len(differences) - _SHOWN} more" if len(differences) > _SHOWN else ""
        raise InputError(
            f"{self._data}: files changed while the pipeline was reading them: {'; '.join(differences[:_SHOWN])}{more}. "
            "This stage kept no output. Run again when the logs no longer change."
        )


def _of_names(listed: Collection[str], there: Collection[str]) -> list[str]:
    gone = [f"{name} is gone" for name in sorted(set(listed) - set(there))]
    return gone + [f"{name} is new" for name in sorted(set(there) - set(listed))]


def _of_contents(listed: Mapping[str, tuple[int, str]], there: Mapping[str, tuple[int, str]]) -> list[str]:
    return [_difference(name, listed[name], found[0]) for name, found in there.items() if found != listed[name]]


def _difference(name: str, listed: tuple[int, str], size: int | None) -> str:
    if size is None:
        return f"{name} is gone"
    if size == listed[0]:
        return f"{name} was written again ({size:,} bytes as before)"
    return f"{name} had {listed[0]:,} bytes and has {size:,} now"


def _state_or_gone(file: str) -> State:
    """The state of a file; () if it was removed after the folder was listed."""
    try:
        return state_of(file)
    except InputError:
        return ()


def _size(state: State) -> int | None:
    return None if not state else state[0] if len(state) == 2 else state[2]
