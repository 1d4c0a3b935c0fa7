"""Rows into events: multi-valued columns, keys, and what a block does not hold."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import polars as pl
import pytest

from components.event_logs.blocks import Block
from components.event_logs.column_plan import ColumnPlan
from components.event_logs.events import KEY, NUMBER, Prepared, Wanted, prepare
from components.event_logs.identity import row_hashes
from components.event_logs.plan import StreamPlan
from models.recipe.errors import InputError


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
    with pytest.raises(InputError, match=r"log: column 'tags' has type List\(List\(String\)\); expected text\.$"):
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


MARKERS = ["NA", "\\N", "-", "nan"]


@pytest.mark.parametrize("flags", [{"untyped": True}, {}])
def test_texts_that_mean_no_value(flags: dict[str, bool]) -> None:
    frame = pl.DataFrame(
        {"a": ["NA", "x", "na", "y"], "n": ["\\N", "1.5", "-", "N"], "l": [["NA", "1"], ["-"], [], None]}
    )
    stream = StreamPlan(name="s", path="-", key=("a",), nulls=tuple(MARKERS))
    columns = [
        Wanted("n", ColumnPlan(name="n", type="float")),
        Wanted("l", ColumnPlan(name="l", type="bytes", multivalued=True)),
    ]
    block = Block(frame, np.arange(4), tuple(frame.columns), **flags)
    done = prepare(block, row_hashes(frame), stream, columns, 0, "log")
    reasons = done.dead["reason"].to_list()
    if not flags:  # Parquet has nulls of its own
        assert reasons == ["feature column 'n': not a finite number"] * 3
        return
    assert reasons == ["no value in key column 'a'", "feature column 'n': not a finite number"]
    assert json.loads(done.dead["raw"][0]) == {"a": "NA", "n": "\\N", "l": ["NA", "1"]}
    assert done.events[KEY].to_list() == ["x", "na"] and done.events["n"].to_list() == [1.5, None]
    assert done.events["l"].to_list() == [None, None]


def test_nan_is_no_value_in_scalars_and_lists() -> None:
    nan = float("nan")
    frame = pl.DataFrame({"tags": [[1.0, nan], [nan], [2.0, float("inf")]]})
    for type in ("int", "float", "bytes"):
        done = prepared(frame, name="tags", type=type, multivalued=True)
        one = "1" if type == "bytes" else 1
        assert done.events["tags"].to_list()[:2] == [[one], None]
        assert done.dead["row"].to_list() == ([] if type == "bytes" else [2])
    done = prepared(pl.DataFrame({"n": [nan, 2.0]}), name="n", type="int")
    assert done.events["n"].to_list() == [None, 2] and done.dead.height == 0


def test_values_of_where_in_every_spelling() -> None:
    frame = pl.DataFrame({"ok": ["True", "true", "1", "FALSE"], "kind": ["1.0", "01", "1", "1"]})
    block = Block(frame, np.arange(4), tuple(frame.columns))

    def rows(**where: tuple[Any, ...]) -> list[int]:
        stream = StreamPlan(name="s", path="-", where=where)
        return prepare(block, row_hashes(frame), stream, [], 0, "log").keys[NUMBER].to_list()

    assert rows(ok=(True,)) == [0, 1] and rows(ok=(1,)) == [2] and rows(kind=("1",)) == [0, 2, 3]
    assert rows(kind=(1,)) == [0, 1, 2, 3] and rows(ok=(True,), kind=("01",)) == [1]


def test_many_values_in_one_text_are_written_as_one_is() -> None:
    frame = pl.DataFrame({"tags": ["7.0|True", "7|x", None]})
    done = prepared(frame, name="tags", type="bytes", multivalued=True, separator="|")
    assert done.events["tags"].to_list() == ["7|true", "7|x", None]
