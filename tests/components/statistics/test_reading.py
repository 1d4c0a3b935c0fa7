from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.statistics.reading import described_columns, missing_as_null, read_batches, row_groups


@pytest.fixture
def path(tmp_path):
    rows = pa.array([[value] for value in range(10)], pa.large_list(pa.int64()))
    table = pa.table({"b": rows, "gatewise/example_id": rows, "a": rows, "label/x": rows})
    path = str(tmp_path / "examples.parquet")
    pq.write_table(table, path, row_group_size=6)
    return path


def test_row_groups(path):
    assert row_groups(path) == [(0, 6), (1, 4)]


def test_batches_of_a_row_group(path):
    batches = list(read_batches(path, 0, batch_rows=4))
    assert [batch.num_rows for batch in batches] == [4, 2]
    assert batches[0].schema.names == ["b", "a", "label/x"]
    assert batches[1]["a"].to_pylist() == [[4], [5]]
    assert batches[0].schema.field("a").type == pa.large_list(pa.int64())


def test_only_some_columns_in_the_order_of_the_file(path):
    [batch] = read_batches(path, 1, columns=["a", "b", "unknown"])
    assert batch.schema.names == ["b", "a"]


def test_bookkeeping_is_not_described():
    schema = pa.schema([("gatewise/event_id", pa.int64()), ("gatewiser", pa.int64()), ("weight/x", pa.int64())])
    assert described_columns(schema) == ["gatewiser", "weight/x"]


@pytest.mark.parametrize("value_type", [pa.large_list(pa.large_binary()), pa.large_list(pa.int64())])
def test_empty_lists_are_missing(value_type):
    one, two = (b"a", b"b") if value_type.value_type == pa.large_binary() else (1, 2)
    column = pa.array([[one], [], None, [one, two], [], [two]], value_type)
    expected = [[one], None, None, [one, two], None, [two]]
    assert missing_as_null(column).to_pylist() == expected
    assert missing_as_null(column).type == value_type
    assert missing_as_null(column.slice(1, 4)).to_pylist() == expected[1:5]


def test_a_full_column_is_not_copied():
    column = pa.array([[1], None], pa.large_list(pa.int64()))
    assert missing_as_null(column) is column
