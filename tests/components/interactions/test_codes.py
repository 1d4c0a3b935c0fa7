from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from components.interactions.codes import dense_codes, places_in


def test_texts_by_their_bytes() -> None:
    distinct, codes = dense_codes([pl.Series([b"i9", b"i10", b"i9"]), pl.Series([b"\xff", b"i10"])])
    assert distinct.to_list() == [b"i10", b"i9", b"\xff"]
    assert [part.tolist() for part in codes] == [[1, 0, 1], [2, 0]]


@given(st.lists(st.integers(-(2**63), 2**63 - 1)), st.lists(st.integers(-3, 3)))
def test_integers_and_parts_without_any(first: list[int], second: list[int]) -> None:
    distinct, codes = dense_codes([pl.Series(part, dtype=pl.Int64) for part in (first, second)])
    assert distinct.to_list() == sorted({*first, *second})
    assert [[distinct[int(code)] for code in part] for part in codes] == [first, second]


def test_places_of_what_is_there_and_of_what_is_not() -> None:
    assert places_in(pl.Series([5, 7, 5, 6]), pl.Series([6, 5])).tolist() == [1, -1, 1, 0]
