"""Hashes of rows: which values are one and which are not, whatever their format, type, order and chunks."""

from __future__ import annotations

import datetime
import struct
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.event_logs.identity import example_ids, row_hashes
from components.event_logs.splits import splits_by_hash
from models.features.splitmix import mix


def hash_of(value: Any, dtype: Any = None) -> int:
    frame = pl.DataFrame({"x": pl.Series([value], dtype=dtype)})
    return int(row_hashes(frame)[0])


def test_rows_have_one_hash_whatever_the_format_and_the_order_of_columns() -> None:
    numbers = pl.DataFrame({"a": [1, 2], "b": [2.0, 0.5], "c": [None, None]}, schema_overrides={"a": pl.Int32})
    texts = pl.DataFrame({"b": ["2.0", "0.5"], "a": ["1", "2"]})
    expected = row_hashes(numbers).to_list()
    assert row_hashes(texts).to_list() == expected
    assert row_hashes(numbers.cast({"a": pl.Int64})).to_list() == expected
    assert row_hashes(numbers[1:]).to_list() == expected[1:]
    assert len(set(expected)) == 2
    swapped = pl.DataFrame({"a": [2.0], "b": [1.0]})
    assert row_hashes(swapped).to_list() != expected[:1]


@pytest.mark.parametrize(
    "same",
    [
        [(7,), (7.0,), ("7",), ("7.0",), (7, pl.Int8), (7, pl.UInt64), (7, pl.Float32), (Decimal(7),)],
        [(7,), ("7.000",), (Decimal("7.000"),), (Decimal("7.0"), pl.Decimal(38, 10))],
        [(2**62 + 1,), (f"{2**62 + 1}.0",), (Decimal(2**62 + 1), pl.Decimal(38, 10))],
        [(0.1,), ("0.1",), (0.1, pl.Float32)],
        [(0,), (-0.0,), (0.0,), ("0",), ("-0.0",), (Decimal("-0.0"),)],
        [(-0.25,), ("-0.25",), (-0.25, pl.Float32)],
        [(2**60,), (2.0**60,), (str(2**60),)],
        [(1e-7,), ("1e-7",), ("0.0000001",)],
        [(0.1 + 0.2,), ("0.30000000000000004",)],
        [(True,), ("true",), ("True",), ("TRUE",)],
        [(False,), ("false",), ("False",), ("FALSE",)],
        [(None, pl.Int64), (None, pl.String), (float("nan"),), ("",), (None, pl.Null), ([], pl.List(pl.String))],
    ],
)
def test_one_value_in_all_its_types(same: list[tuple[Any, ...]]) -> None:
    assert len({hash_of(*value) for value in same}) == 1


def test_texts_that_are_no_numbers_stay_apart() -> None:
    texts = ["7", "07", "+7", "7.", "-0", "0", " 7", "7 ", "0.10", "0.1", ".1", "1e3", "1000", "1_000", "٧"]
    texts += ["", "-", "-a", "nan", "inf", "1.0.0", "2024-01-01", "9223372036854775807", "9223372036854775808"]
    texts += ["0.3000000000000000", "0.30000000000000001", "0.30000000000000002", "\0", "\0a"]
    assert len({hash_of(text) for text in texts}) == len(texts)


def test_numbers_of_every_size_stay_apart() -> None:
    numbers = [0, 1, -1, 2**53, 2**53 + 1, 2**63 - 1, -(2**63)]
    fractions = [0.5, 2.0**63, 2.0**64, 1e300, 5e-324, float("inf"), float("-inf")]
    # An integer with the bits of a fraction is another number.
    numbers.append(struct.unpack("q", struct.pack("d", 0.5))[0])
    found = [*row_hashes(pl.DataFrame({"x": numbers})), *row_hashes(pl.DataFrame({"x": fractions}))]
    assert len(set(found)) == len(found)


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.floats(), st.integers(-(2**53), 2**53).map(float)), min_size=1, max_size=20))
def test_a_number_is_its_shortest_text(values: list[float | None]) -> None:
    numbers = pl.DataFrame({"x": pl.Series(values, dtype=pl.Float64)}).with_columns(
        pl.when(pl.col("x").is_infinite()).then(0.0).otherwise("x").alias("x")
    )
    texts = numbers.select(pl.when(pl.col("x").is_nan()).then(None).otherwise(pl.col("x").cast(pl.String)).alias("x"))
    assert row_hashes(texts).to_list() == row_hashes(numbers).to_list()


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=20), st.integers().map(str)), max_size=12), st.integers(0, 12))
def test_a_hash_depends_on_its_row_alone(texts: list[str | None], cut: int) -> None:
    frame = pl.DataFrame({"x": pl.Series(texts, dtype=pl.String), "y": range(len(texts))})
    whole = row_hashes(frame).to_list()
    assert row_hashes(pl.concat([frame[:cut], frame[cut:]], rechunk=False)).to_list() == whole
    assert row_hashes(frame[:cut]).to_list() + row_hashes(frame[cut:].select("y", "x")).to_list() == whole


def test_more_rows_than_are_hashed_at_once() -> None:
    frame = pl.DataFrame({"x": np.arange(150_000)})
    hashes = row_hashes(frame)
    assert hashes.n_unique() == 150_000
    assert hashes[140_000] == hash_of(140_000)


POLARS_HASHES_OTHERWISE = (
    f"polars {pl.__version__} hashes or writes {{value!r}} in another way than the version that the example ids of our users were "
    "made with. The ids of all examples, which rows are duplicates of each other, and which examples without a time evaluate "
    "depend on this number. Stay with the version of polars, or hash texts without it; a new number is a line in CHANGELOG.md."
)


@pytest.mark.parametrize(
    ("value", "dtype", "expected"),
    [
        (None, pl.String, 16294208416658607535),
        ("u", pl.String, 9815372942492360324),
        ("ü", pl.String, 5185530238102629707),
        ("a text that is longer than twelve bytes", pl.String, 4709218915482490397),
        ("07", pl.String, 8040146855543918511),
        ("1e300", pl.String, 8227783328887688946),
        (b"raw", pl.Binary, 8309560810615278584),
        (True, pl.Boolean, 6132000165583107396),
        (7, pl.Int64, 6860290616350588737),
        (2**64 - 1, pl.UInt64, 15135818261380139600),
        (0.5, pl.Float64, 13430070673179495104),
        (1e300, pl.Float64, 9849555613998795224),
        (0.1, pl.Float32, 10682622673074881251),
        (Decimal("1.50"), pl.Decimal(38, 2), 17469912369025339803),
        (datetime.datetime(2024, 1, 2, 3, 4, 5, 678901), pl.Datetime("us"), 5421865821007012603),
        (datetime.datetime(2024, 1, 2, 3, 4, 5), pl.Datetime("ms", "UTC"), 3633286384807235099),
        (datetime.date(2024, 1, 2), pl.Date, 3044113162931882353),
        (datetime.time(3, 4, 5), pl.Time, 2798625156440882642),
        (["x", "y"], pl.List(pl.String), 2141144959831685269),
        ([1.0, 2.5], pl.List(pl.Float64), 9681775721105072053),
        ({"a": 1, "b": "x", "c": None}, pl.Struct({"a": pl.Int64, "b": pl.String, "c": pl.Null}), 16702119241702769864),
    ],
)
def test_the_hash_is_the_one_that_ids_were_made_with(value: Any, dtype: Any, expected: int) -> None:
    assert hash_of(value, dtype) == expected, POLARS_HASHES_OTHERWISE.format(value=value)


def test_the_ids_and_the_undated_split_are_those_that_users_have() -> None:
    rows = row_hashes(pl.DataFrame({"user": ["u", "v", "w"], "item": [7, 8, 9], "price": [0.5, None, 1.5]}))
    ids = example_ids(rows.to_numpy(), np.array([0, 0, 1]))
    assert rows[0] == 13520169794265887803 and ids.tolist() == [
        7748061276967169815,
        994540217969161471,
        1406831897248560960,
    ], POLARS_HASHES_OTHERWISE.format(value="a row")
    # 2: the eval split, 1: the validate split.
    assert splits_by_hash(ids, 0.5, 0.5).tolist() == [1, 1, 2]


def test_ids_are_not_negative_and_tell_twins_and_file_sets_apart() -> None:
    rows = np.array([5, 5, 6], np.uint64)
    ids = example_ids(rows, np.array([0, 1, 0]))
    assert len(set(ids)) == 3 and ids.dtype == np.int64 and (ids >= 0).all()
    assert not set(ids) & set(example_ids(rows, np.array([0, 1, 0]), "eval_examples"))
    assert (example_ids(mix(np.arange(1000))) >= 0).all()
