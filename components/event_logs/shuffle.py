"""The shuffle: rows between the steps are stored in files of Arrow record batches. Beam moves only references to the batches.

    piece 0 --> piece-0.event.a1.arrow   [rows of partition 0 | of partition 1 | ...]   --.
    piece 1 --> piece-1.event.7f.arrow   [rows of partition 0 | of partition 1 | ...]   --+--> partition 1
                                                                                          '--> partition 0

A runner would encode the rows and hold all of them in memory. Here a file is memory-mapped, and only the needed parts are
read: a step that needs four of forty columns never reads the others. At a URL, a batch is one request.

Every attempt at a step writes its own files, first under temporary names. Killed or simultaneous attempts do no harm, because
only the references of the attempt that Beam accepts are used. The folder is inside the stage's output, which all workers
share; at a URL it is next to the output (for the reason, see `storage.writing.remove_folder`).
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType

import numpy as np
import polars as pl
import pyarrow as pa

from components.columnar.ordered_map import ordered_map
from components.storage.reading import REQUESTS, open_file
from components.storage.writing import WholeFile, make_folder
from models.recipe.locations import is_url

FOLDER = "shuffle"


def folder_of(output: str) -> str:
    """The shuffle folder of the stage that writes to `output`."""
    return f"{output.rstrip('/')}.{FOLDER}" if is_url(output) else os.path.join(output, FOLDER)


@dataclass(frozen=True, order=True)
class Reference:
    """Some batches of a file: rows of one partition, one stream and one role.

    Roles: event (columns of an event for the join), id (its event id), duplicate (an event that loses its id to another), label
    (labels of an impression), feature (the columns of an example). For tasks with `match: user`: user (columns of an event for the
    join by user), user_duplicate, future (numbers of an impression's labels), followed (what became of an outcome).
    """

    file: str
    role: str
    stream: str
    batches: tuple[int, ...]


@dataclass(frozen=True)
class Rows:
    """Rows to shuffle and (rows,) their partition numbers."""

    frame: pl.DataFrame
    numbers: np.ndarray
    role: str
    stream: str


class ShuffleWriter:
    """Writes the rows of one attempt at a step: one file per role and stream, with batches per partition.

        with ShuffleWriter(folder, "piece-00003") as writer:
            writer.add(rows)
        references = writer.references()

    Args:
        folder: the shuffle folder; created if it is missing.
        name: prefix of the file names, for debugging.
    """

    def __init__(self, folder: str, name: str) -> None:
        self._folder, self._name = folder, name
        self._attempt = uuid.uuid4().hex
        self._files: dict[tuple[str, str], _File] = {}

    def __enter__(self) -> ShuffleWriter:
        make_folder(self._folder)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files.values():
            file.close(whole=kind is None)

    def add(self, rows: Rows) -> None:
        """Appends the rows, one batch per partition. All rows of a role and stream must have the same schema."""
        if rows.frame.height == 0:
            return
        order = np.argsort(rows.numbers, kind="stable")
        held = one_batch(rows.frame[order])
        what = (rows.role, rows.stream)
        if what not in self._files:
            name = f"{self._name}.{rows.role}-{len(self._files)}.{self._attempt}.arrow"
            self._files[what] = _File(os.path.join(self._folder, name), held.schema)
        numbers = rows.numbers[order]
        starts = np.flatnonzero(np.diff(numbers, prepend=-1))
        for start, end in zip(starts, [*starts[1:], len(numbers)], strict=True):
            self._files[what].append(int(numbers[start]), held.slice(start, end - start))

    def references(self) -> Iterator[tuple[int, Reference]]:
        """(partition, reference to its rows), after the files are complete."""
        for (role, stream), file in self._files.items():
            for number, batches in file.batches.items():
                yield number, Reference(file.path, role, stream, tuple(batches))


def read(references: Iterable[Reference], columns: Sequence[str] | None = None) -> pl.DataFrame | None:
    """The rows of all references in one frame, with all or some columns; None without references."""
    parts = list(frames(references, columns))
    return pl.concat(parts, rechunk=True) if parts else None


def frames(references: Iterable[Reference], columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
    """The rows, batch by batch, as views of the mapped files.

    Batches at URLs are fetched by several threads, because most of the time is latency.
    """
    there = sorted(references)
    if any(is_url(reference.file) for reference in there):
        for fetched in ordered_map(lambda reference: list(_frames(reference, columns)), there, REQUESTS):
            yield from fetched
        return
    for reference in there:
        yield from _frames(reference, columns)


def _frames(reference: Reference, columns: Sequence[str] | None) -> Iterator[pl.DataFrame]:
    with open_file(reference.file, mapped=True) as source, pa.ipc.open_file(source) as reader:
        for number in reference.batches:
            held = reader.get_batch(number)
            yield pl.DataFrame(pl.from_arrow(held if columns is None else held.select(list(columns))))


def one_batch(frame: pl.DataFrame) -> pa.RecordBatch:
    """The frame as one record batch."""
    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest()).combine_chunks()
    arrays = [column.chunk(0) if column.num_chunks else pa.array([], column.type) for column in table.columns]
    return pa.RecordBatch.from_arrays(arrays, schema=table.schema)


@dataclass
class _File:
    path: str
    schema: pa.Schema
    batches: dict[int, list[int]] = field(default_factory=dict)
    count: int = 0

    def __post_init__(self) -> None:
        self._whole = WholeFile(self.path)
        self._sink = pa.OSFile(self._whole.temporary, "wb")
        self._writer = pa.ipc.new_file(self._sink, self.schema)

    def append(self, number: int, held: pa.RecordBatch) -> None:
        self._writer.write_batch(held)
        self.batches.setdefault(number, []).append(self.count)
        self.count += 1

    def close(self, whole: bool) -> None:
        self._writer.close()
        self._sink.close()
        if whole:
            self._whole.finish()
        else:
            self._whole.discard()
