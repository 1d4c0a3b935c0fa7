"""The second pass: the files it writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.features import transform_pass
from components.features.transform_pass import layout, write_file
from models.features import input_pipeline


def fake_transform(batch: pa.RecordBatch) -> dict[str, np.ndarray]:
    ids = np.array([value[0] for value in batch.column("gatewise/example_id").to_pylist()])
    return {"categorical": np.stack([ids, ids + 1], axis=1).reshape(-1, 2).astype(np.int32)}


def write(tmp_path: Path, table: pa.Table, plan: Any) -> pa.ipc.RecordBatchFileReader:
    pq.write_table(table, tmp_path / "raw.parquet")
    with open(tmp_path / "out.arrow", "wb") as file:
        write_file(pq.ParquetFile(tmp_path / "raw.parquet"), file, fake_transform, plan)
    return pa.ipc.open_file(tmp_path / "out.arrow")


@pytest.mark.parametrize(
    ("batch_rows", "expected"),
    [(3, [3, 3, 1]), (1, [1] * 7), (100, [7])],
)
def test_rows_stay_in_order(
    tmp_path: Path,
    make_table: Any,
    make_plan: Any,
    monkeypatch: pytest.MonkeyPatch,
    batch_rows: int,
    expected: list[int],
) -> None:
    monkeypatch.setattr(transform_pass, "BATCH_ROWS", batch_rows)
    plan = make_plan({"x": {"kind": "categorical"}})
    reader = write(tmp_path, make_table({"x": ("bytes", [[b"a"]] * 7)}, plan.tasks), plan)
    table = reader.read_all()
    assert [reader.get_batch(i).num_rows for i in range(reader.num_record_batches)] == expected
    assert table.column("example_id").to_pylist() == [10, 20, 30, 40, 50, 60, 70]
    assert table.column("categorical").to_pylist() == [[10 * i, 10 * i + 1] for i in range(1, 8)]
    assert table.column("labels").to_pylist() == [[i % 2, (i + 1) % 2] for i in range(7)]
    assert table.column("weights").to_pylist() == [[1.0, 2.0]] * 7
    assert table.schema.metadata == {b"tasks": b'["click", "buy"]'}
    assert [str(field.type) for field in table.schema] == [
        "fixed_size_list<item: int32>[2]",
        "fixed_size_list<item: float>[2]",
        "fixed_size_list<item: float>[2]",
        "int64",
    ]


def test_an_empty_file_becomes_an_empty_file(tmp_path: Path, make_table: Any, make_plan: Any) -> None:
    plan = make_plan({"x": {"kind": "categorical"}})
    empty = make_table({"x": ("bytes", [[b"a"]])}, plan.tasks).slice(0, 0)
    table = write(tmp_path, empty, plan).read_all()
    assert table.num_rows == 0
    assert table.schema.names == ["categorical", "labels", "weights", "example_id"]


@pytest.mark.parametrize("rows", [3, 0])
def test_the_group_is_written_for_losses_within_groups(
    tmp_path: Path, make_table: Any, make_plan: Any, rows: int
) -> None:
    plan = make_plan({"x": {"kind": "categorical"}}).model_copy(update={"group_key": "request"})
    columns = {"x": ("bytes", [[b"a"]] * 3), "request": ("bytes", [[b"r"], [b"s"], [b"r"]])}
    table = write(tmp_path, make_table(columns, plan.tasks).slice(0, rows), plan).read_all()
    assert table.schema.names == ["categorical", "group", "labels", "weights", "example_id"]
    assert str(table.schema.field("group").type) == "fixed_size_list<item: int32>[2]"
    found = table.column("group").to_pylist()
    if rows:
        assert found[0] == found[2] != found[1]
        assert input_pipeline.read_split(str(tmp_path / "out.arrow")).groups.tolist() in ([0, 1, 0], [1, 0, 1])


def test_an_example_without_id_is_refused(make_table: Any) -> None:
    table = make_table({"x": ("bytes", [[b"a"]])}, ("click",))
    place = table.schema.get_field_index("gatewise/example_id")
    table = table.set_column(place, "gatewise/example_id", pa.array([[]], pa.large_list(pa.int64())))
    with pytest.raises(ValueError, match="'gatewise/example_id' must have exactly one value in every row"):
        layout(table.to_batches()[0], {}, ["label/click"], ["weight/click"], ["click"])
