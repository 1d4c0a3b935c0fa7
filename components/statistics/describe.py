"""The Beam pipeline of the statistics: Parquet row groups -> record batches -> TFDV -> one file per split and kind.

Create(pieces) -> Reshuffle -> ReadRowGroup -> GenerateStatistics --+
(per split, and once more for the integer categories)               +-> Flatten -> WriteStatistics
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import apache_beam as beam
import pyarrow as pa
import tensorflow_data_validation as tfdv
from apache_beam.io.filesystems import FileSystems
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2
from tfx.dsl.io import fileio

from components.statistics.reading import read_batches, row_groups
from models.errors import InputError

# A piece of a split: (file, row group).
Piece = tuple[str, int]


def pieces_of(split: str, files: Sequence[str]) -> tuple[list[Piece], int]:
    """The row groups of a split's files, and how many rows they hold together.

    Raises:
        InputError: the split has no examples: nothing could be learned from it, or nothing evaluated.
    """
    pieces, rows = [], 0
    for path in sorted(files):
        with FileSystems.open(path) as file:
            for index, count in row_groups(file):
                pieces.append((path, index))
                rows += count
    if rows == 0:
        raise InputError(
            f"The split {split!r} has no examples. Expected examples in both splits, train and eval: "
            "look at the recipe's `split` and at the times in the logs."
        )
    return pieces, rows


def integer_schema(columns: Sequence[str]) -> schema_pb2.Schema:
    """A schema that makes TFDV count the values of integer columns: by itself it takes every integer for a quantity."""
    schema = schema_pb2.Schema()
    for name in columns:
        schema.feature.add(name=name, type=schema_pb2.INT).int_domain.is_categorical = True
    return schema


class Describe(beam.PTransform):
    """Writes the statistics of every split; one leaf, so that a runner that follows only the last leaf runs all of it.

    Args:
        splits: split -> its pieces.
        outputs: split -> path of the statistics file.
        categories: split -> (columns of integer ids, path of their statistics file); may lack any split.
    """

    def __init__(
        self,
        splits: Mapping[str, Sequence[Piece]],
        outputs: Mapping[str, str],
        categories: Mapping[str, tuple[Sequence[str], str]],
    ) -> None:
        super().__init__()
        self._splits, self._outputs, self._categories = splits, outputs, categories

    def expand(self, pipeline: beam.Pipeline) -> Any:
        branches = []
        for split, pieces in self._splits.items():
            # One reading for each kind: the second reads only the few integer columns.
            jobs: list[tuple[str, list[str] | None, Any, str]] = [("", None, tfdv.StatsOptions(), self._outputs[split])]
            if split in self._categories:
                columns, path = self._categories[split]
                jobs.append(("Categories", list(columns), tfdv.StatsOptions(schema=integer_schema(columns)), path))
            for kind, only, options, path in jobs:
                label = f"{kind}[{split}]"
                branches.append(
                    pipeline
                    | f"Pieces{label}" >> beam.Create(list(pieces))
                    | f"Spread{label}" >> beam.Reshuffle()
                    | f"ReadRowGroup{label}" >> beam.FlatMap(_read, columns=only).with_output_types(pa.RecordBatch)
                    | f"GenerateStatistics{label}" >> tfdv.GenerateStatistics(options)
                    | f"Name{label}" >> beam.Map(_named, path=path).with_output_types(tuple[str, bytes])
                )
        return branches | "Flatten" >> beam.Flatten() | "WriteStatistics" >> beam.Map(_write)


def _read(piece: Piece, columns: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
    path, row_group = piece
    with FileSystems.open(path) as file:
        yield from read_batches(file, row_group, columns)


def _named(statistics: statistics_pb2.DatasetFeatureStatisticsList, path: str) -> tuple[str, bytes]:
    return path, statistics.SerializeToString(deterministic=True)


def _write(named: tuple[str, bytes]) -> str:
    path, content = named
    with fileio.open(path + ".partial", "wb") as file:
        file.write(content)
    fileio.rename(path + ".partial", path, overwrite=True)
    return path
