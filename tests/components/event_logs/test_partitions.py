"""The number of partitions, from rows and bytes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from components.event_logs.partitions import count_of_partitions
from components.event_logs.streams import Piece


def count(rows: int, bytes_per_row: int, pieces: int = 1, partitions: int | None = None) -> int:
    plan: Any = SimpleNamespace(partitions=partitions)
    piece = Piece("/logs/a.parquet", "a.parquet", "parquet", ("seen",), rows // pieces, rows // pieces * bytes_per_row)
    return count_of_partitions(plan, [piece] * pieces)


@pytest.mark.parametrize(
    ("rows", "bytes_per_row", "expected"),
    [
        (0, 0, 2),
        (1_000, 100, 2),
        (10_000_000, 40, 20),  # by rows: 500,000 each
        (10_000_000, 700, 35),  # by bytes: 7e9 / 192 MiB = 34.8
        (10**12, 1000, 65_536),
    ],
)
def test_by_rows_and_bytes(rows: int, bytes_per_row: int, expected: int) -> None:
    assert count(rows, bytes_per_row) == expected
    assert count(rows, bytes_per_row, pieces=10) == expected


def test_the_plan_decides() -> None:
    assert count(10_000_000, 700, partitions=3) == 3
