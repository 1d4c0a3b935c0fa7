"""Values as text and as typed columns."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.event_logs.values import (
    DIGITS,
    as_text,
    cast,
    is_inexact,
    is_one_of,
    may_hold_truths,
    one_text,
    one_text_each,
)
from models.features.value_texts import text_of


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
    assert text([Decimal("1007.0000000000"), Decimal("-0.50"), Decimal("1200"), None], pl.Decimal(38, 10)) == [
        *["1007", "-0.5", "1200"],
        None,
    ]
    assert text([2.0**60, 2.0**63]) == [str(2**60), "9.223372036854776e+18"]
    assert text([["a", "7.0"], [], None]) == ["a\x1e7", "", None]


SPELLINGS = ["7", "7.0", "7.000", "-7.0", "-0.0", "0.0", "007", "+7", " 7 ", "7.", "1e3", "1.50", "9007199254740993.0"]
SPELLINGS += ["True", "TRUE", "true", "False", "FALSE", "tRUE", "1.0.0", "7.0\n", "", "ü.0"]


def test_texts_are_written_as_everywhere() -> None:
    assert text([*SPELLINGS, None]) == [*map(text_of, SPELLINGS), None]
    untouched = pl.Series(["7", "x", None, "10", "1.50"])
    assert one_text(untouched) is untouched
    joined = pl.Series(["7.0|True|x", "7|8", "", None, "1.5|8.0"])
    assert one_text_each(joined, "|").to_list() == ["7|true|x", "7|8", "", None, "1.5|8"]


@given(
    st.lists(st.from_regex(r"-?[0-9]{1,20}(\.[05]{1,12})?", fullmatch=True) | st.sampled_from(SPELLINGS), max_size=9)
)
def test_columns_of_texts_and_one_text_agree(texts: list[str]) -> None:
    assert text(texts, pl.String()) == [text_of(value) for value in texts]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ([1], ["1", "1.0", "01", "+1", " 1 ", "1e0"]),
        ([1.0], ["1", "1.0", "01", "+1", " 1 ", "1e0"]),
        (["1"], ["1", "1.0"]),
        (["01"], ["01"]),
        ([0.5], ["0.5", "0.50"]),
        (["0.5"], ["0.5"]),
        ([True], ["true", "True", "TRUE"]),
        (["True"], ["true", "True", "TRUE"]),
        ([False, 2**53 + 1], ["FALSE", "9007199254740993"]),
        ([], []),
    ],
)
def test_values_of_a_recipe(wanted: list, found: list[str]) -> None:
    texts = ["1", "1.0", "01", "+1", " 1 ", "1e0", "0.5", "0.50", "true", "True", "TRUE", "FALSE"]
    texts += ["9007199254740992", "9007199254740993", "nan", "x", ""]
    frame = pl.DataFrame({"x": [*texts, None]})
    same = frame.select(is_one_of(as_text(pl.col("x"), pl.String()), wanted))["x"].to_list()
    assert [one for one, is_same in zip(texts, same[:-1], strict=True) if is_same] == found and same[-1] is not True


NUMBERS = st.decimals(-(2**52), 2**52, places=3).map(
    lambda number: number.quantize(Decimal(1)) if number % 2 < 1 else number
)


@settings(deadline=None)
@given(st.lists(NUMBERS, min_size=1, max_size=9))
def test_numbers_in_every_spelling(numbers: list[Decimal]) -> None:
    """The slow reference: a number is one value however it is written, and has the text of its shortest decimals."""

    def shortest(number: Decimal) -> str:
        return str(int(number)) if number == int(number) else format(number.normalize(), "f")

    expected = [shortest(number) for number in numbers]
    assert text(numbers, pl.Decimal(38, 10)) == expected
    whole = [number for number in numbers if number == int(number)]
    texts = [shortest(number) for number in whole]
    for values, dtype in (
        ([int(number) for number in whole], pl.Int64()),
        ([float(number) for number in whole], pl.Float64()),
        ([f"{int(number)}" for number in whole], pl.String()),
        ([f"{int(number)}.0" for number in whole], pl.String()),
        ([f"{int(number)}.0000000000" for number in whole], pl.String()),
    ):
        assert text(values, dtype) == texts
        assert typed(values, "int", dtype)[0] == [int(number) for number in whole]


def test_floats_that_may_be_several_whole_numbers() -> None:
    def inexact(values: list[float], dtype: pl.DataType) -> list[bool]:
        frame = pl.DataFrame({"x": pl.Series(values, dtype=dtype)})
        return frame.select(is_inexact(pl.col("x"), dtype))["x"].to_list()

    assert inexact([2.0**53 - 1, 2.0**53, -(2.0**60)], pl.Float64()) == [False, True, True]
    assert inexact([2.0**24 - 1, 2.0**24], pl.Float32()) == [False, True]
    assert is_inexact(pl.col("x"), pl.Int64()) is None


def test_text_columns() -> None:
    assert typed(["a", "", None], "bytes") == (["a", None, None], [False, True, True])
    assert typed([7.0, float("nan")], "bytes") == (["7", None], [False, True])


def test_integer_columns() -> None:
    assert typed([1.0, 1.5, None], "int") == ([1, None, None], [False, False, True])
    assert typed([" 5", "5.0", "5.5", "five", ""], "int") == ([5, 5, None, None, None], [False] * 4 + [True])
    assert typed(["+7", "007", "1e3", "9007199254740993.0", "nan"], "int")[0] == [7, 7, 1000, 2**53 + 1, None]
    assert typed([True, False], "int")[0] == [1, 0]
    assert typed([2**63, 3], "int", pl.UInt64)[0] == [None, 3]
    assert typed([2**62 + 1], "int")[0] == [2**62 + 1]
    assert typed([Decimal("2.00"), Decimal("1.50"), None], "int") == ([2, None, None], [False, False, True])
    assert typed([Decimal(2**62 + 1)], "int")[0] == [2**62 + 1]


def test_number_columns_are_finite() -> None:
    values, missing = typed(["1e3", "inf", "x", " ", "1e39", "true"], "float")
    assert values == [1000, None, None, None, None, None]
    assert missing == [False, False, False, True, False, False]


def test_columns_that_may_hold_truth_values() -> None:
    for text in DIGITS:
        assert may_hold_truths(pl.Series(["1", None, "", text]))
    assert not may_hold_truths(pl.Series(["1", None, "", "nan", "-1e3"], dtype=pl.String))
    assert DIGITS == {"true": "1", "True": "1", "TRUE": "1", "false": "0", "False": "0", "FALSE": "0"}


@pytest.mark.parametrize("target", ["int", "float"])
def test_nan_is_no_number_and_infinity_a_wrong_one(target: str) -> None:
    nan, inf = float("nan"), float("inf")
    for dtype in (pl.Float32(), pl.Float64()):
        assert typed([nan, None, inf], target, dtype) == ([None] * 3, [True, True, False])
    assert typed(["nan", "NaN", " NAN ", "inf", "-Infinity"], target) == ([None] * 5, [True] * 3 + [False] * 2)


@pytest.mark.parametrize("target", ["bytes", "int", "float"])
def test_a_column_without_any_value(target: str) -> None:
    assert typed([None, None], target) == ([None, None], [True, True])
