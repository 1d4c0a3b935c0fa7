"""Parquet in pieces and blocks, and two readers that must not differ."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.event_logs import parquet_rows
from models.recipe.errors import InputError

ROWS = 10_000
TABLE = pa.table(
    {
        "number": pa.array([None if n % 7 == 0 else n for n in range(ROWS)], pa.int32()),
        "share": pa.array(np.linspace(0, 1, ROWS)),
        "small": pa.array(np.linspace(0, 1, ROWS), pa.float32()),
        "text": pa.array([None if n % 5 == 0 else f"a text of some length, {n % 50}" for n in range(ROWS)]),
        "large": pa.array([f"{n}" for n in range(ROWS)], pa.large_string()),
        "bytes": pa.array([b"a"] * ROWS),
        "flag": pa.array([n % 2 == 0 for n in range(ROWS)]),
        "many": pa.array([[f"{n}", None] if n % 3 else None for n in range(ROWS)]),
        "moment": pa.array([datetime.datetime(2024, 1, 1)] * ROWS, pa.timestamp("us", "UTC")),
    }
)


def rows_of(file: Path, groups: tuple[int, ...], first: int, bytes_per_row: int = 1) -> list[tuple[int, pl.DataFrame]]:
    found = []
    for block in parquet_rows.read(str(file), groups, first, bytes_per_row):
        assert block.rows.tolist() == list(range(block.rows[0], block.rows[0] + block.frame.height))
        found.append((int(block.rows[0]), block.frame))
    return found


def test_row_groups_are_read_together_up_to_a_block(tmp_path: Path) -> None:
    path = tmp_path / "log[1].parquet"  # no glob
    pq.write_table(TABLE, path, row_group_size=1_000)
    expected = pl.DataFrame(pl.from_arrow(TABLE)).cast({"bytes": pl.String})
    ((first, frame),) = rows_of(path, (2, 3, 4), 2_000)
    assert first == 2_000 and frame.equals(expected[2_000:5_000])
    # 32 KiB a row make the least block, of 4,096 rows.
    found = rows_of(path, tuple(range(10)), 0, 32 << 10)
    assert [(first, frame.height) for first, frame in found] == [(0, 4_000), (4_000, 4_000), (8_000, 2_000)]
    assert pl.concat(frame for _, frame in found).equals(expected)


def test_a_large_row_group_is_read_in_blocks(tmp_path: Path) -> None:
    pq.write_table(TABLE, tmp_path / "log.parquet")
    found = rows_of(tmp_path / "log.parquet", (0,), 0, 32 << 10)
    assert [(first, frame.height) for first, frame in found] == [(0, 4_096), (4_096, 4_096), (8_192, 1_808)]
    ((_, whole),) = rows_of(tmp_path / "log.parquet", (0,), 0)
    assert pl.concat(frame for _, frame in found).equals(whole)


def test_both_readers_give_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pq.write_table(TABLE, tmp_path / "log.parquet")
    ((_, fast),) = rows_of(tmp_path / "log.parquet", (0,), 0)
    monkeypatch.setattr(parquet_rows, "_by_polars", lambda *given: None)
    ((_, slow),) = rows_of(tmp_path / "log.parquet", (0,), 0)
    assert fast.equals(slow) and fast.schema == slow.schema


def test_types_that_only_arrow_reads(tmp_path: Path) -> None:
    table = TABLE.append_column("at", TABLE["moment"].cast(pa.timestamp("us", "+05:30")))
    pq.write_table(table, tmp_path / "log.parquet")
    ((_, frame),) = rows_of(tmp_path / "log.parquet", (0,), 0)
    assert frame.schema["at"] == pl.Datetime("us", "UTC") and frame["at"].equals(frame["moment"].alias("at"))


def test_a_column_that_is_there_twice_is_named(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2]), pa.array([3])], names=["a", "price", "price"])
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"a\.parquet: the schema has two columns 'price'\. Give each column a unique"):
        parquet_rows.row_groups(str(tmp_path / "a.parquet"))
