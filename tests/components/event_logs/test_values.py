"""Values as text, as typed columns, and as hashes of rows."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from components.event_logs.values import as_text, cast, example_ids, mix, row_hashes


def text(values: list, dtype: pl.DataType | None = None) -> list:
    frame = pl.DataFrame({"x": pl.Series(values, dtype=dtype)})
    return frame.select(x=as_text(pl.col("x"), frame.schema["x"]))["x"].to_list()


def typed(values: list, target: str, dtype: pl.DataType | None = None) -> tuple[list, list]:
    frame = pl.DataFrame({"x": pl.Series(values, dtype=dtype)})
    value, missing = cast(pl.col("x"), frame.schema["x"], target)
    done = frame.select(value=value, missing=missing)
    return done["value"].to_list(), done["missing"].to_list()


def test_one_text_for_one_value() -> None:
    assert text([7, -3]) == ["7", "-3"]
    assert text([7.0, 0.5, float("nan"), None, -0.0]) == ["7", "0.5", None, None, "0"]
    assert text([True, False]) == ["true", "false"]
    assert text(["7.0", ""]) == ["7.0", ""]
    assert text([["a", "b"], [], None]) == ["a\x1eb", "", None]


def test_text_columns() -> None:
    assert typed(["a", "", None], "bytes") == (["a", None, None], [False, True, True])
    assert typed([7.0, float("nan")], "bytes") == (["7", None], [False, True])


def test_integer_columns() -> None:
    assert typed([1.0, 1.5, None], "int") == ([1, None, None], [False, False, True])
    assert typed([" 5", "5.0", "5.5", "five", ""], "int") == ([5, 5, None, None, None], [False] * 4 + [True])
    assert typed([True, False], "int")[0] == [1, 0]
    assert typed([2**63, 3], "int", pl.UInt64)[0] == [None, 3]
    assert typed([2**62 + 1], "int")[0] == [2**62 + 1]
    assert typed([Decimal("2.00"), Decimal("1.50"), None], "int") == ([2, None, None], [False, False, True])
    assert typed([Decimal(2**62 + 1)], "int")[0] == [2**62 + 1]


def test_number_columns_are_finite() -> None:
    values, missing = typed(["1e3", "nan", "inf", "x", " ", "1e39"], "float")
    assert values == [1000, None, None, None, None, None]
    assert missing == [False, False, False, False, True, False]
    assert typed([float("nan"), None], "float") == ([None, None], [False, True])


def test_rows_have_one_hash_whatever_the_format_and_the_order_of_columns() -> None:
    numbers = pl.DataFrame({"a": [1, 2], "b": [2.0, 0.5], "c": [None, None]}, schema_overrides={"a": pl.Int32})
    texts = pl.DataFrame({"b": ["2.0", "0.5"], "a": ["1", "2"]})
    expected = row_hashes(numbers).to_list()
    assert row_hashes(texts, text_numbers=True).to_list() == expected
    assert row_hashes(numbers.cast({"a": pl.Int64})).to_list() == expected
    assert row_hashes(numbers[1:]).to_list() == expected[1:]
    assert len(set(expected)) == 2
    swapped = pl.DataFrame({"a": [2.0], "b": [1.0]})
    assert row_hashes(swapped).to_list() != expected[:1]


def test_the_hash_is_the_one_that_ids_were_made_with() -> None:
    # A change of polars' hash changes every example id, and with it which undated examples evaluate: that is news to
    # users, for the CHANGELOG.
    assert row_hashes(pl.DataFrame({"user": ["u"], "item": [7]})).to_list() == [9903734380125054481]


def test_mix_is_splitmix64() -> None:
    # First output of SplitMix64 with seed 0, from its reference implementation.
    assert mix(np.array([0], np.uint64))[0] == np.uint64(0xE220A8397B1DCDAF)


def test_ids_are_not_negative_and_tell_twins_and_file_sets_apart() -> None:
    rows = np.array([5, 5, 6], np.uint64)
    ids = example_ids(rows, np.array([0, 1, 0]))
    assert len(set(ids)) == 3 and ids.dtype == np.int64 and (ids >= 0).all()
    assert not set(ids) & set(example_ids(rows, np.array([0, 1, 0]), "eval_examples"))
    assert (example_ids(mix(np.arange(1000))) >= 0).all()


@pytest.mark.parametrize("target", ["bytes", "int", "float"])
def test_a_column_without_any_value(target: str) -> None:
    assert typed([None, None], target) == ([None, None], [True, True])
