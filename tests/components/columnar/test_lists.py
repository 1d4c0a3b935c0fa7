"""Texts of many values, taken apart."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.columnar.lists import taken_apart


@pytest.mark.parametrize(
    ("texts", "separator", "expected"),
    [
        (["x|y", "z"], "|", [["x", "y"], ["z"]]),
        (["x||y|", "||", "", None, "ü"], "|", [["x", "y"], [], [], [], ["ü"]]),
        (["x, y", "x,y"], ", ", [["x", "y"], ["x,y"]]),
        (["x|y", None], None, [["x|y"], []]),
        ([None], "|", [[]]),
        ([], "|", []),
    ],
)
def test_by_hand(texts: list, separator: str | None, expected: list) -> None:
    assert taken_apart(pl.Series(texts, dtype=pl.String), separator).to_pylist() == expected


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.text("ab;", max_size=9)), max_size=9), st.integers(0, 9))
def test_as_python_splits(texts: list, start: int) -> None:
    lists = taken_apart(pl.Series(texts, dtype=pl.String)[start:], ";")
    lists.validate(full=True)
    assert lists.to_pylist() == [[item for item in (text or "").split(";") if item] for text in texts[start:]]
