from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.recipe.errors import InputError
from pipeline.recommending.catalogue import items_of, rows_of, vectors_of


def write(path: Path, ids: pa.Array) -> Path:
    count = len(ids)
    table = pa.table(
        {
            "item": ids,
            "price": pa.array(
                [[float(number)] if number % 2 else [] for number in range(count)], pa.list_(pa.float32())
            ),
            "gatewise/vector": pa.array([[number, 2.0, 9.0] for number in range(count)], pa.list_(pa.float32(), 3)),
        }
    )
    pq.write_table(table, path, row_group_size=2)
    return path


@pytest.mark.parametrize(
    ("ids", "wanted"),
    [
        (pa.array([3, 5, 7, 9, 2**62], pa.int64()), [2**62, 3, 7]),
        (pa.array([b"a", b"b", b"c", b"d", b"\xff"], pa.binary()), [b"\xff", b"a", b"c"]),
    ],
)
def test_rows_in_the_order_of_the_ids(ids: pa.Array, wanted: list[Any], tmp_path: Path) -> None:
    path = write(tmp_path / "items.parquet", ids)
    table = items_of(path, "item", wanted, ["item", "price", "not there"])
    assert rows_of(table) == [{"item": one, "price": []} for one in wanted]
    table = items_of(path, "item", [ids[3].as_py(), ids[0].as_py()], ["gatewise/vector"])
    assert table.column_names == ["gatewise/vector"]
    assert vectors_of(table, prior=False).tolist() == [[3.0, 2.0, 9.0], [0.0, 2.0, 9.0]]
    assert vectors_of(table, prior=True).dtype == np.float32
    assert vectors_of(table, prior=True).tolist() == [[3.0, 2.0], [0.0, 2.0]]


def test_ids_of_another_version(tmp_path: Path) -> None:
    path = write(tmp_path / "items.parquet", pa.array([3, 5], pa.int64()))
    with pytest.raises(InputError, match=r"2 of 3 candidates are not in the item table, such as 4\..*gatewise index"):
        items_of(path, "item", [3, 4, 6], [])
