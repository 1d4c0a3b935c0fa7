from __future__ import annotations

import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.statistics import reading
from components.statistics.reading import described_columns, files_of, footer, read_column, shares
from models.recipe.errors import InputError


@pytest.fixture
def path(tmp_path):
    rows = pa.array([[value] for value in range(10)], pa.large_list(pa.int64()))
    table = pa.table({"b": rows, "gatewise/example_id": rows, "a": rows, "label/x": rows})
    path = str(tmp_path / "examples.parquet")
    pq.write_table(table, path, row_group_size=6)
    return path


def paths_of(examples, split):
    folder = os.path.join(examples.uri, f"Split-{split}")
    return [os.path.join(folder, name) for name in os.listdir(folder)]


def test_pieces_are_row_groups_whatever_the_order_of_the_files(make_examples):
    paths = paths_of(make_examples({"train": 500}), "train")
    found = files_of("train", paths)
    assert found.rows == 500
    # 250 rows a file, 120 a row group
    assert [(os.path.basename(path)[:14], group, rows) for path, group, rows in found.pieces] == [
        (name, group, rows)
        for name in ("examples-00000", "examples-00001")
        for group, rows in enumerate((120, 120, 10))
    ]
    assert files_of("train", paths[::-1]) == found


def test_columns_of_all_files_in_the_order_of_the_first(path, tmp_path):
    other = str(tmp_path / "more.parquet")
    pq.write_table(pa.table({"c": pa.array([[1]]), "a": pa.array([[1]])}), other)
    assert files_of("train", [other, path]).columns == ("b", "a", "label/x", "c")


@pytest.mark.parametrize("paths", [[], None])
def test_nothing_to_describe(make_examples, paths):
    given = paths if paths is not None else paths_of(make_examples({"eval": 0}), "eval")
    with pytest.raises(InputError, match="The split 'eval' has no examples"):
        files_of("eval", given)


def test_bookkeeping_is_not_described():
    schema = pa.schema([("gatewise/event_id", pa.int64()), ("gatewiser", pa.int64()), ("weight/x", pa.int64())])
    assert described_columns(schema) == ["gatewiser", "weight/x"]


def test_shares_end_with_the_piece_that_makes_them_full():
    pieces = [("x", 0, 4), ("x", 1, 4), ("x", 2, 9), ("y", 0, 1)]
    assert shares(pieces, 5) == [(pieces[0], pieces[1]), (pieces[2],), (pieces[3],)]
    assert shares(pieces, 100) == [tuple(pieces)]
    assert shares([], 5) == []


def read(path, row_group, name):
    with open(path, "rb") as file:
        return [array.to_pylist() for array in read_column(file, footer(path), row_group, name)]


def test_a_column_of_a_row_group(path):
    assert read(path, 0, "a") == [[[0], [1], [2], [3], [4], [5]]]
    assert read(path, 1, "label/x") == [[[6], [7], [8], [9]]]


def test_arrays_are_bounded_by_rows_and_by_bytes(path, monkeypatch):
    monkeypatch.setattr(reading, "BATCH_ROWS", 4)
    assert [len(array) for array in read(path, 0, "a")] == [4, 2]
    monkeypatch.setattr(reading, "BATCH_BYTES", 1)
    assert [len(array) for array in read(path, 0, "a")] == [1] * 6
