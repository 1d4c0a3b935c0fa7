"""Reads example files column by column in arrays of bounded size, without gatewise's internal columns."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from components.storage.reading import of_each, open_parquet
from models.recipe.checks.served_names import OWN
from models.recipe.errors import InputError

BATCH_ROWS = 131_072
BATCH_BYTES = 2**26

# A piece of a split: (file, row group, rows).
Piece = tuple[str, int, int]


@dataclasses.dataclass(frozen=True, kw_only=True)
class SplitFiles:
    """What lies in the files of a split: the pieces that can be read independently, and the names of the columns."""

    pieces: tuple[Piece, ...]
    columns: tuple[str, ...]

    @property
    def rows(self) -> int:
        """Examples."""
        return sum(rows for _, _, rows in self.pieces)


def described_columns(schema: pa.Schema) -> list[str]:
    """The columns that get statistics: all but gatewise's own: ids and times describe no example, and each is there only once."""
    return [name for name in schema.names if not name.startswith(OWN)]


def files_of(split: str, paths: Sequence[str]) -> SplitFiles:
    """What lies in a split's Parquet files; columns in the order in which the files, sorted by name, have them.

    Raises:
        InputError: the split has no examples: nothing could be learned from it, or nothing evaluated.
    """
    pieces: list[Piece] = []
    columns: dict[str, None] = {}
    ordered = sorted(paths)
    for path, metadata in zip(ordered, of_each(footer, ordered), strict=True):
        pieces += [(path, group, metadata.row_group(group).num_rows) for group in range(metadata.num_row_groups)]
        columns |= dict.fromkeys(described_columns(metadata.schema.to_arrow_schema()))
    found = SplitFiles(pieces=tuple(pieces), columns=tuple(columns))
    if not found.rows:
        raise InputError(
            f"The split {split!r} has no examples. Expected examples in the splits train, validate and eval: "
            "check the recipe's `split` and the times in the logs."
        )
    return found


def shares(pieces: Sequence[Piece], rows: int) -> list[tuple[Piece, ...]]:
    """The pieces, in their order, in shares of about so many rows: a share ends with the piece that makes it full."""
    found: list[tuple[Piece, ...]] = []
    share: list[Piece] = []
    for piece in pieces:
        share.append(piece)
        if sum(size for _, _, size in share) >= rows:
            found.append(tuple(share))
            share = []
    return [*found, tuple(share)] if share else found


def footer(path: str) -> pq.FileMetaData:
    """The metadata of a Parquet file."""
    with open_parquet(path) as parquet:
        return parquet.metadata


def read_column(file: BinaryIO, metadata: pq.FileMetaData, row_group: int, name: str) -> Iterator[pa.Array]:
    """One column of one row group, in the order of the rows, in arrays of at most `BATCH_ROWS` and about `BATCH_BYTES`.

    Args:
        file: a Parquet file.
        metadata: its footer.
        row_group: which row group.
        name: of a column that it has.
    """
    group = metadata.row_group(row_group)
    chunks = [group.column(index) for index in range(group.num_columns)]
    bytes_ = sum(chunk.total_uncompressed_size for chunk in chunks if chunk.path_in_schema.split(".")[0] == name)
    fitting = BATCH_BYTES * group.num_rows // max(bytes_, 1)
    parquet = pq.ParquetFile(file, metadata=metadata)
    for batch in parquet.iter_batches(max(1, min(BATCH_ROWS, fitting)), [row_group], [name], use_threads=False):
        yield batch.column(0)
