"""Opens files for reading: local files directly or memory-mapped, files at a URL by ranges."""

from __future__ import annotations

import io
import lzma
import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from components.columnar.ordered_map import ordered_map
from components.storage.first_bytes import LENGTH, packing_of, refuse_no_text
from components.storage.stores import answers_of, store_of
from models.recipe.locations import is_url

Result = TypeVar("Result")

REQUESTS = 8
"""Threads that read from a store."""
_BUFFER = 1 << 23  # bytes of a request: unpacking asks for 64 KiB at a time


def open_file(path: str, mapped: bool = False) -> pa.NativeFile:
    """A file for reading here and there; `mapped` into memory if it is local.

    Raises:
        OSError, InputError: it cannot be opened.
    """
    if not is_url(path):
        return pa.memory_map(path) if mapped else pa.OSFile(path)
    store, inside = store_of(path)
    with answers_of(path):
        return store.open_input_file(inside)


def open_stream(path: str) -> pa.NativeFile:
    """A text for reading from its beginning to its end, unpacked if its first bytes say that it is packed.

    Raises:
        OSError, InputError: it cannot be opened, or is no text by its first bytes.
    """
    first = _first_bytes(path)
    refuse_no_text(path, first)
    codec = packing_of(first)
    arrows = None if codec == "xz" else codec
    if is_url(path):
        store, inside = store_of(path)
        with answers_of(path):
            stream = store.open_input_stream(inside, compression=arrows, buffer_size=_BUFFER)
    else:
        stream = pa.input_stream(path, compression=arrows)
    return pa.PythonFile(_Xz(stream), mode="r") if codec == "xz" else stream


class _Xz(io.RawIOBase):
    """The text of all members of an xz file. Python's own reader takes a member that is damaged for the file's end.

    Raises:
        OSError: it is damaged, or cut off.
    """

    def __init__(self, packed: pa.NativeFile) -> None:
        self._packed, self._member = packed, lzma.LZMADecompressor()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """At least one byte, unless the file has ended."""
        while True:
            if self._member.eof:  # zeros may lie between two members
                more = self._member.unused_data.lstrip(b"\0") or self._packed.read(_BUFFER).lstrip(b"\0")
                if not more:
                    return b""
                self._member = lzma.LZMADecompressor()
            else:
                more = self._packed.read(_BUFFER) if self._member.needs_input else b""
                if self._member.needs_input and not more:
                    raise OSError("Truncated compressed stream")
            try:
                text = self._member.decompress(more, size)
            except lzma.LZMAError as error:
                raise OSError(f"xz decompress failed: {error}") from None
            if text:
                return text


def _first_bytes(path: str) -> bytes:
    with open_file(path) as file:
        first: bytes = file.read(LENGTH)
    return first


def open_parquet(path: str) -> pq.ParquetFile:
    """A Parquet file, of which only what is asked for is read; at a URL a row group's columns in a few requests at once.

    Raises:
        pyarrow.ArrowException, OSError, InputError: it cannot be opened.
    """
    if not is_url(path):
        return pq.ParquetFile(path)
    store, inside = store_of(path)
    with answers_of(path):
        return pq.ParquetFile(inside, filesystem=store, pre_buffer=True)


def of_each(function: Callable[[str], Result], files: Sequence[str]) -> Iterator[Result]:
    """The function of each file, in their order; of files at URLs by several threads, which mostly wait for the store.

    Raises:
        Whatever the function raises, at the file's place.
    """
    return ordered_map(function, files, REQUESTS) if any(map(is_url, files)) else map(function, files)


def read_bytes(path: str) -> bytes:
    """The content of a small file.

    Raises:
        OSError, InputError: it cannot be read.
    """
    with open_file(path) as file:
        content: bytes = file.read()
    return content


def read_text(path: str) -> str:
    """The content of a small UTF-8 file; raises as `read_bytes`."""
    return read_bytes(path).decode("utf-8")


class LocalCopy:
    """A file or folder for libraries that only know paths: itself if it is local, otherwise a copy in a temporary folder.

        with LocalCopy(uri) as path: ...

    or without `with`, where the copy is to last as long as the object.

    Raises:
        InputError: it cannot be copied.
    """

    def __init__(self, location: str) -> None:
        self.path = location
        self._remove: Callable[[], object] = lambda: None
        if is_url(location):
            temporary = tempfile.mkdtemp(prefix="gatewise-")
            self._remove = weakref.finalize(self, shutil.rmtree, temporary, ignore_errors=True)
            # Under its own name: the ending of a file tells its format.
            self.path = os.path.join(temporary, os.path.basename(location.rstrip("/")))
            store, inside = store_of(location)
            with answers_of(location):
                if store.get_file_info(inside).type == fs.FileType.Directory:
                    os.mkdir(self.path)
                fs.copy_files(inside, self.path, source_filesystem=store, destination_filesystem=fs.LocalFileSystem())

    def __enter__(self) -> str:
        return self.path

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._remove()
