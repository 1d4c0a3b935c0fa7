"""Raw eval examples, found again by their ids."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.probe.requests import read_requests
from models.recipe.errors import InputError


def write(path: Path, rows: list[dict[str, Any]], row_group_size: int = 2) -> Path:
    schema = pa.schema(
        {
            "gatewise/example_id": pa.large_list(pa.int64()),
            "device": pa.large_list(pa.large_binary()),
            "age": pa.large_list(pa.float32()),
        }
    )
    pq.write_table(pa.Table.from_pylist(rows, schema), path, row_group_size=row_group_size)
    return path


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    rows = [
        {"gatewise/example_id": [number], "device": [f"d{number}".encode()] if number % 2 else [], "age": [number / 2]}
        for number in range(10)
    ]
    return [
        write(tmp_path / "a.parquet", rows[1::2]),
        write(tmp_path / "b.parquet", rows[::2]),
        write(tmp_path / "c.parquet", []),
    ]


def test_the_rows_come_in_the_order_of_the_ids(files: list[Path]) -> None:
    assert read_requests(files, [4, 9, 0, 1], ["age", "device"]) == [
        {"age": [2.0], "device": []},
        {"age": [4.5], "device": [b"d9"]},
        {"age": [0.0], "device": []},
        {"age": [0.5], "device": [b"d1"]},
    ]


def test_a_column_that_no_file_has_is_missing(files: list[Path]) -> None:
    assert read_requests(files, [3], ["device", "never"]) == [{"device": [b"d3"]}]


def test_an_example_that_is_in_no_file_is_told(files: list[Path]) -> None:
    with pytest.raises(InputError, match=r"2 of 3 examples that the trainer predicted are missing in .* such as 77"):
        read_requests(files, [3, 77, 78], ["device"])
