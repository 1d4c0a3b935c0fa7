"""One text for one value: a table of spellings, and numbers in every spelling against `decimal`."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.features.value_texts import BOOLEANS, REWRITTEN, text_of


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("7", "7"),
        ("7.0", "7"),
        ("1007.0000000000", "1007"),
        ("-7.00", "-7"),
        ("-0.0", "0"),
        ("0.000", "0"),
        ("9007199254740993.0", "9007199254740993"),
        ("123456789012345678901234567890.0", "123456789012345678901234567890"),
        (7, "7"),
        (7.0, "7"),
        (-0.0, "0"),
        (0.5, "0.5"),
        (2.0**60, str(2**60)),
        (True, "true"),
        ("True", "true"),
        ("TRUE", "true"),
        ("FALSE", "false"),
        # Texts of their own.
        *(
            (text, text)
            for text in ("007", "007.0", "+7", "+7.0", " 7", "7 ", "7.", ".0", "-0", "1e3", "1.0e3", "1.50")
        ),
        *((text, text) for text in ("", "1.0.0", "1,0", "tRUE", "yes", "7.0\n", "NaN", "٧.0")),
    ],
)
def test_spellings(value: str | int | float | bool, text: str) -> None:
    assert text_of(value) == text
    if isinstance(value, str):
        assert bool(re.fullmatch(REWRITTEN, value)) == (value != text)


@given(
    st.one_of(
        st.from_regex(r"[-+ ]?0{0,2}[0-9]{0,20}(\.[05]{0,12})?(e[0-9])?", fullmatch=True),
        st.sampled_from([*BOOLEANS, *BOOLEANS.values()]),
        st.text(max_size=8),
    )
)
def test_a_text_is_rewritten_only_as_the_same_number_and_then_stays(written: str) -> None:
    text = text_of(written)
    assert text_of(text) == text
    assert bool(re.fullmatch(REWRITTEN, written)) == (text != written)
    try:
        number = Decimal(written)
    except InvalidOperation:
        assert text == BOOLEANS.get(written, written)
        return
    if number.is_finite():
        assert Decimal(text) == number
    # In plain digits, with nothing but zeros behind the point: one text for the number.
    if re.fullmatch(r"-?[0-9]+\.0+", written) and str(int(number)).lstrip("-") == written.split(".")[0].lstrip("-"):
        assert text == str(int(number))
