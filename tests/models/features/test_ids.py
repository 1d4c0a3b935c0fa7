"""The id ledger: written and read, joined with an earlier one, and refused when damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest

from models.features.ids import SCHEMA, Ids, moved, read_ids, write_ids
from models.features.value_ids import out_of_vocabulary_ids
from models.recipe.errors import InputError
from models.recipe.features import Categorical

ROWS = [
    ("item", b"7", 1, 10, 30, 2.5),
    ("item", b"5", 0, 10, 20, 9.0),
    ("user", b"\xff\x00", 0, 1, 1, 1.0),
    ("item", b"9", -1, 30, 30, 1.0),
    ("item", b"8", -1, 30, 30, 1.0),
]


def ledger(rows: list[Any], types: dict[str, str] | None = None) -> Ids:
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    return Ids(frame, 86_400_000_000, {"x": "{}"}, types or {"item": "integer", "user": "string"})


def test_what_is_written_is_read_sorted_and_with_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "ids.parquet", tmp_path / "other.parquet"
    write_ids(ledger(ROWS), first)
    write_ids(ledger(ROWS[::-1]), second)
    assert first.read_bytes() == second.read_bytes()
    ids = read_ids(tmp_path)
    assert ids.rows.rows() == [ROWS[1], ROWS[0], ROWS[4], ROWS[3], ROWS[2]]
    assert (ids.day, ids.definitions, ids.types) == (86_400_000_000, {"x": "{}"}, {"item": "integer", "user": "string"})
    assert ids.vocabulary("item").to_list() == [b"5", b"7"]
    kinds = {field.name: str(field.type) for field in pq.read_schema(first)}
    assert kinds == {
        "table": "string",
        "value": "large_binary",
        "row": "int64",
        "first": "int64",
        "last": "int64",
        "count": "double",
    }


def test_moved_tells_the_old_row_of_each_new_one() -> None:
    new = [
        ("item", b"9", 0, 0, 0, 1.0),  # waited
        ("item", b"7", 1, 0, 0, 1.0),  # stayed
        ("item", b"5", 2, 0, 0, 1.0),  # moved
        ("item", b"4", 3, 0, 0, 1.0),  # is new
        ("item", b"3", -1, 0, 0, 1.0),
        ("user", b"7", 0, 0, 0, 1.0),  # of another table
    ]
    rows = moved(ledger(ROWS), ledger(new, {"item": "integer", "user": "string", "empty": "string"}))
    assert {table: found.tolist() for table, found in rows.items()} == {
        "empty": [],
        "item": [-1, 1, 0, -1],
        "user": [-1],
    }
    same = moved(ledger(ROWS), ledger(ROWS))
    assert {table: found.tolist() for table, found in same.items()} == {"item": [0, 1], "user": [0]}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([ROWS[0], ROWS[1], ("item", b"6", 1, 0, 0, 1.0)], "3 ids in 2 rows up to 1"),
        ([ROWS[0]], "1 ids in 1 rows up to 1"),
        ([ROWS[1], ("item", b"5", -1, 0, 0, 1.0)], "twice in one table"),
    ],
)
def test_a_ledger_with_holes_or_shared_rows_is_refused(tmp_path: Path, rows: list[Any], message: str) -> None:
    write_ids(ledger(rows), tmp_path / "ids.parquet")
    with pytest.raises(InputError, match=message):
        read_ids(tmp_path)


def test_a_missing_a_foreign_and_a_cut_ledger_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "ids.parquet"
    with pytest.raises(InputError, match="found no file"):
        read_ids(tmp_path)
    pl.DataFrame({"a": [1]}).write_parquet(path)
    with pytest.raises(InputError, match="damaged or another file"):
        read_ids(tmp_path)
    write_ids(ledger(ROWS), path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="damaged or another file"):
        read_ids(tmp_path)


def test_with_one_bucket_every_value_outside_the_vocabulary_has_id_1() -> None:
    feature = Categorical(kind="categorical", type="integer")
    assert out_of_vocabulary_ids([b"5", b"-7"], feature).tolist() == [1, 1]
    assert out_of_vocabulary_ids([], feature).tolist() == []
