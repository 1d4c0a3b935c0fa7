"""Fused embedding tables: tables of one width are one variable with offsets."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

PADDING_ROW = 0
"""The first row of a fused table is the padding row. Nothing reads it, and its gradient is 0."""


@dataclasses.dataclass(frozen=True)
class Reader:
    """A column of ids or a list of ids.

    Attributes:
        table: the embedding table that it reads.
        column: column of the categorical matrix; None for a list.
        feature: feature of a list; "" for a column.
    """

    table: str
    column: int | None = None
    feature: str = ""


@dataclasses.dataclass(frozen=True)
class FusedTable:
    """All embedding tables of one width, concatenated.

    ```
    row 0      padding
    rows 1..   the first table: its id 0, 1, ...
    ...        the second table, from its offset
    ```

    Attributes:
        dim: width.
        rows: number of rows of all tables, with the padding row.
        offsets: {table: row of its id 0}.
        readers: its columns, then its lists, in the order of the encoder's output.
    """

    dim: int
    rows: int
    offsets: Mapping[str, int]
    readers: tuple[Reader, ...]


def fuse(tables: Mapping[str, tuple[int, int]], readers: Sequence[Reader]) -> tuple[FusedTable, ...]:
    """Makes one fused table per width, in order of first use.

    Args:
        tables: {name: (rows, dim)}.
        readers: all columns and lists, in the order of the encoder's output.
    """
    fused = []
    for dim in dict.fromkeys(dim for _, dim in tables.values()):
        offsets, end = {}, PADDING_ROW + 1
        for name, (rows, its_dim) in tables.items():
            if its_dim == dim:
                offsets[name] = end
                end += rows
        if its_readers := tuple(reader for reader in readers if reader.table in offsets):
            fused.append(FusedTable(dim, end, offsets, its_readers))
    return tuple(fused)
