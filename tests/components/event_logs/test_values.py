"""Values as text and as typed columns."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest

from components.event_logs.values import as_text, cast


def text(values: list, dtype: pl.DataType | None = None) -> list:
    frame = pl.DataFrame({"x": pl.Series(values, dtype=dtype)})
    return frame.select(x=as_text(pl.col("x"), frame.schema["x"]))["x"].to_list()


def typed(values: list, target: str, dtype: pl.DataType | None = None) -> tuple[list, list]:
    frame = pl.DataFrame({"x": pl.Series(values, dtype=dtype)})
    value, missing, wrong = cast(pl.col("x"), frame.schema["x"], target)
    done = frame.select(value=value, missing=missing, wrong=pl.lit(False) if wrong is None else wrong)
    assert done["wrong"].to_list() == (done["value"].is_null() & ~done["missing"]).to_list()
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


@pytest.mark.parametrize("target", ["bytes", "int", "float"])
def test_a_column_without_any_value(target: str) -> None:
    assert typed([None, None], target) == ([None, None], [True, True])
