"""The Beam pipeline of the statistics: Parquet row groups -> record batches -> TFDV's accumulators -> files.

Create(tasks) -> Reshuffle -> DescribeRows -> MergeSplit -> WriteStatistics
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.io.filesystems import FileSystems
from google.protobuf.message import Message
from tfx.dsl.io import fileio

from components.features.ordered_map import ordered_map
from components.statistics.describing import Described, Describer
from components.statistics.reading import read_batches, row_groups
from models.errors import InputError

# A piece of a split: (file, row group).
Piece = tuple[str, int]

ROWS_OF_TASK = 1 << 19
"""Rows that are described together, if one row group has not more: their accumulators travel through Beam."""


def tasks_of(split: str, files: Sequence[str]) -> tuple[list[list[Piece]], int]:
    """The row groups of a split's files, neighbours together in tasks, and how many rows they hold.

    Raises:
        InputError: the split has no examples: nothing could be learned from it, or nothing evaluated.
    """
    tasks: list[list[Piece]] = []
    rows, room = 0, 0
    for path in sorted(files):
        with FileSystems.open(path) as file:
            for index, count in row_groups(file):
                if count == 0:
                    continue
                if count > room:
                    tasks.append([])
                    room = ROWS_OF_TASK
                tasks[-1].append((path, index))
                room -= count
                rows += count
    if rows == 0:
        raise InputError(
            f"The split {split!r} has no examples. Expected examples in both splits, train and eval: "
            "look at the recipe's `split` and at the times in the logs."
        )
    return tasks, rows


class Describe(beam.PTransform):
    """Writes the statistics of every split; one leaf, so that a runner that follows only the last leaf runs all of it.

    Args:
        splits: split -> its tasks.
        integer_categories: columns of integer ids.
        outputs: split -> paths of the statistics file and, where there are integer categories, of theirs.
    """

    def __init__(
        self,
        splits: Mapping[str, Sequence[Sequence[Piece]]],
        integer_categories: Sequence[str],
        outputs: Mapping[str, tuple[str, str | None]],
    ) -> None:
        super().__init__()
        self._tasks = [(split, list(task)) for split, tasks in splits.items() for task in tasks]
        self._integer_categories, self._outputs = tuple(integer_categories), dict(outputs)

    def expand(self, pipeline: beam.Pipeline) -> Any:
        describer = Describer(self._integer_categories)
        describing = beam.Map(_describe, describer=describer).with_output_types(tuple[str, list])
        return (
            pipeline
            | "Tasks" >> beam.Create(self._tasks)
            | "Spread" >> beam.Reshuffle()
            | "DescribeRows" >> describing
            | "MergeSplit" >> beam.CombinePerKey(Merge(describer))
            | "WriteStatistics" >> beam.FlatMap(_write, describer=describer, outputs=self._outputs)
        )


class Merge(beam.CombineFn):
    """`Describer.merge` for Beam."""

    def __init__(self, describer: Describer) -> None:
        self._describer = describer

    def create_accumulator(self) -> Described | None:
        return None

    def add_input(self, mutable_accumulator: Described | None, element: Described) -> Described | None:
        return self.merge_accumulators([mutable_accumulator, element])

    def merge_accumulators(self, accumulators: Iterable[Described | None]) -> Described | None:
        parts = [part for part in accumulators if part is not None]
        return self._describer.merge(parts) if len(parts) > 1 else next(iter(parts), None)

    def extract_output(self, accumulator: Described) -> Described:
        return accumulator


def _describe(task: tuple[str, Sequence[Piece]], describer: Describer) -> tuple[str, Described]:
    split, pieces = task
    # Arrow reads and unpacks the next row group on the other core while TFDV describes this one.
    read = (batch for batches in ordered_map(_read, pieces, threads=1) for batch in batches)
    return split, describer.describe(read)


def _read(piece: Piece) -> list[pa.RecordBatch]:
    path, row_group = piece
    with FileSystems.open(path) as file:
        return list(read_batches(file, row_group))


def _write(
    merged: tuple[str, Described], describer: Describer, outputs: Mapping[str, tuple[str, str | None]]
) -> Iterator[str]:
    split, described = merged
    for path, statistics in zip(outputs[split], describer.conclude(described), strict=True):
        if path is not None:
            _write_whole(path, statistics)
            yield path


def _write_whole(path: str, message: Message) -> None:
    with fileio.open(path + ".partial", "wb") as file:
        file.write(message.SerializeToString(deterministic=True))
    fileio.rename(path + ".partial", path, overwrite=True)
