"""Rows into events: multi-valued columns, keys, and what a block does not hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from components.event_logs.blocks import Block
from components.event_logs.events import KEY, Prepared, Wanted, prepare
from components.event_logs.identity import row_hashes
from components.event_logs.plan import ColumnPlan, StreamPlan
from models.errors import InputError


def prepared(frame: pl.DataFrame, key: tuple[str, ...] = (), **column: Any) -> Prepared:
    wanted = [Wanted(column["name"], ColumnPlan(**column))] if column else []
    block = Block(frame, np.arange(frame.height), tuple(frame.columns))
    return prepare(block, row_hashes(frame), StreamPlan(name="s", path="-", key=key), wanted, 0, "log")


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([[1, 2, None], [], None], pl.List(pl.Int32), [[1, 2], None, None]),
        ([["1", " 2 ", ""], [""], ["3"]], pl.List(pl.String), [[1, 2], None, [3]]),
        (["1|2", "", None], pl.String, [[1, 2], None, None]),
        ([7, None, 8], pl.Int64, [[7], None, [8]]),
        ([None, None, None], pl.Null, [None, None, None]),
    ],
)
def test_multi_valued_columns(values: list, dtype: pl.DataType, expected: list) -> None:
    frame = pl.DataFrame({"tags": pl.Series(values, dtype=dtype)})
    done = prepared(frame, name="tags", type="int", multivalued=True, separator="|")
    assert done.events["tags"].to_list() == expected and done.dead.height == 0
    assert done.events.schema["tags"] == pl.List(pl.Int64)


def test_an_item_of_a_wrong_type_spoils_its_row_only() -> None:
    frame = pl.DataFrame({"tags": [["1", "x"], ["2"], ["3.5"]]})
    done = prepared(frame, name="tags", type="int", multivalued=True)
    assert done.events["tags"].to_list() == [[2]]
    assert done.dead.rows() == [
        (0, "feature column 'tags': not an integer", '{"tags":["1","x"]}'),
        (2, "feature column 'tags': not an integer", '{"tags":["3.5"]}'),
    ]


def test_nested_lists_are_refused() -> None:
    frame = pl.DataFrame({"tags": [[["a"]]]})
    with pytest.raises(InputError, match=r"log: column 'tags' holds List\(List\(String\)\), expected text\.$"):
        prepared(frame, name="tags", type="bytes", multivalued=True)


def test_keys_are_texts_and_no_two_become_one() -> None:
    frame = pl.DataFrame({"a": ["x\x1f", "x", "x\x1e1", "7"], "b": ["y", "\x1fy", "y", "7"]})
    assert prepared(frame, ("a", "b")).events[KEY].n_unique() == 4
    numbers = pl.DataFrame({"a": [7.0], "b": [7]})
    assert prepared(numbers, ("a", "b")).events[KEY].to_list() == prepared(frame, ("a", "b")).events[KEY].to_list()[3:]


def test_a_column_that_json_lines_have_not_met_yet_is_missing() -> None:
    done = prepared(pl.DataFrame({"a": ["x"]}), ("a",), name="price", type="float")
    assert done.events["price"].to_list() == [None] and done.dead.height == 0


def test_letters_of_types_that_json_has_not() -> None:
    frame = pl.DataFrame({"a": [None, "x"], "d": pl.Series(["1.50", "2"]).cast(pl.Decimal(10, 2))})
    letter = prepared(frame, ("a",)).dead.row(0)
    assert letter[:2] == (0, "no value in key column 'a'") and "1.50" in letter[2]
