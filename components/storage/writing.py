"""Writes files atomically, on a disk or at a URL, and removes folders.

On a disk, a file is written under a temporary name in the same folder, and then renamed. A store shows an object when its upload
is complete, but Arrow's stream also completes a half-written upload after an error. So the file is written to this machine's
temporary folder and then uploaded in one call. A process that dies in between leaves no visible file.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.message import Message
from pyarrow import fs

from components.storage.stores import answers_of, store_of
from models.recipe.locations import is_url

_CHUNK = 1 << 23


class WholeFile:
    """A file that is being written, at `temporary`; it appears as `path` by `finish`, or never by `discard`.

    Args:
        path: path or URL; its folder is made. What is there is replaced.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        folder, name = os.path.split(path)
        if is_url(path):
            folder = tempfile.gettempdir()
        else:
            os.makedirs(folder or ".", exist_ok=True)
        # A name of its own: another attempt at the same file may be under way.
        self.temporary = os.path.join(folder, f".{name}.{uuid.uuid4().hex}.partial")

    def finish(self) -> None:
        """What lies at `temporary`, closed, becomes the file.

        Raises:
            OSError, InputError: it cannot.
        """
        if not is_url(self.path):
            os.replace(self.temporary, self.path)
            return
        try:
            _upload(self.temporary, self.path)
        finally:
            self.discard()

    def discard(self) -> None:
        """Removes what was written so far."""
        with contextlib.suppress(FileNotFoundError):
            os.remove(self.temporary)


@contextlib.contextmanager
def whole_file(path: str) -> Iterator[str]:
    """A local path to write to: what lies there at the end of the block becomes `path`; nothing, where the block fails."""
    file = WholeFile(path)
    try:
        yield file.temporary
        file.finish()
    except BaseException:
        file.discard()
        raise


def write_bytes(path: str, content: bytes) -> None:
    """Writes a whole file."""
    with whole_file(path) as temporary:
        Path(temporary).write_bytes(content)


def write_text(path: str, text: str) -> None:
    """Writes a whole UTF-8 file."""
    write_bytes(path, text.encode("utf-8"))


def write_message(path: str, message: Message) -> None:
    """Writes a message, serialized deterministically, to a path or URL; makes its folder."""
    write_bytes(path, message.SerializeToString(deterministic=True))


@contextlib.contextmanager
def written_folder(folder: str) -> Iterator[str]:
    """A local folder for libraries that write to paths only: `folder` itself if it is local, made if need be.

    Of a URL, a temporary one: its files are uploaded, each whole, at the end of the block, and none where the block fails.
    """
    if not is_url(folder):
        os.makedirs(folder, exist_ok=True)
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="gatewise-") as temporary:
        yield temporary
        for path in sorted(Path(temporary).rglob("*")):
            if path.is_file():
                _upload(str(path), f"{folder.rstrip('/')}/{path.relative_to(temporary).as_posix()}")


def make_folder(folder: str) -> None:
    """Makes a folder; a store has none."""
    if not is_url(folder):
        os.makedirs(folder, exist_ok=True)


def remove_folder(folder: str) -> None:
    """Removes a folder and its content, if it exists.

    At a URL, Arrow then leaves an empty object `ABOVE/` for the parent folder. gatewise ignores it, but tools that copy objects
    to files may fail. So nothing is removed inside an artifact at a URL.
    """
    if not is_url(folder):
        shutil.rmtree(folder, ignore_errors=True)
        return
    store, inside = store_of(folder)
    with answers_of(folder), contextlib.suppress(FileNotFoundError):
        store.delete_dir(inside)


def _upload(source: str, url: str) -> None:
    store, inside = store_of(url)
    with answers_of(url):
        fs.copy_files(
            source,
            inside,
            source_filesystem=fs.LocalFileSystem(),
            destination_filesystem=store,
            chunk_size=_CHUNK,
        )
