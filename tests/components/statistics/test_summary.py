from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from components.statistics import frequencies, summary
from components.statistics.summary import FLOAT, INT, STRING, merge, merge_all, summarise
from models.recipe.errors import InputError


def lists(values, kind):
    return pa.array(values, pa.large_list(kind))


def test_texts_by_hand():
    found = summarise("tags", lists([[b"a", b"bcd"], None, [], [b"a"], [b"\xff"]], pa.large_binary()))
    assert (found.type, found.present, found.values) == (STRING, 3, 4)
    assert found.lengths.lows.tolist() == [1.0, 2.0] and found.lengths.counts.tolist() == [2, 1]
    assert (found.characters, found.invalid, found.frequencies.unique) == (6, 1, 3)
    assert found.numbers is None


def test_ids_by_hand():
    found = summarise("item", lists([[10], [-7, 10], [0]], pa.int64()), ids=True)
    assert (found.type, found.values, found.frequencies.unique) == (INT, 4, 3)
    # "10", "-7", "10", "0"
    assert found.characters == 7
    assert found.numbers.mean == 13 / 4


@pytest.mark.parametrize("value", [0, 9, 10, 99, 100, -1, -10, 10**18, 10**18 - 1, 2**63 - 1, -(2**63)])
def test_characters_of_whole_numbers(value):
    assert summarise("x", lists([[value]], pa.int64()), ids=True).characters == len(str(value))


def test_whole_numbers_are_quantities_unless_they_are_ids():
    found = summarise("age", lists([[10]], pa.int64()))
    assert found.frequencies is None and found.characters == 0


@pytest.mark.parametrize(
    ("kind", "type_"),
    [(pa.int8(), INT), (pa.uint32(), INT), (pa.float32(), FLOAT), (pa.string(), STRING), (pa.null(), STRING)],
)
def test_types(kind, type_):
    assert summarise("x", pa.array([None, []], pa.list_(kind))).type == type_


def test_what_is_not_a_list_of_tf_examples_types_is_refused():
    with pytest.raises(InputError, match=r"column 'x': expected a list for each row.*found int64"):
        summarise("x", pa.array([1]))
    with pytest.raises(InputError, match=r"column 'x'.*whole numbers or float32 numbers.*list<item: double>.*Cast"):
        summarise("x", pa.array([[1.0]]))


def test_files_of_different_types_are_refused():
    parts = [summarise("x", lists([[1]], pa.int64())), summarise("x", lists([[b"1"]], pa.large_binary()))]
    with pytest.raises(InputError, match=r"column 'x' has type INT in some files and STRING in others"):
        merge("x", parts)


def test_slices_of_a_column_are_their_own_rows():
    column = lists([[b"a"], None, [b"b", b"c"], [b"d"]], pa.large_binary())
    found = summarise("x", column.slice(1, 2))
    assert (found.present, found.values, found.characters) == (1, 2, 2)


@pytest.mark.parametrize("merge_at", [1, 500, 2**23])
def test_a_stream_is_merged_to_the_same_however_often(monkeypatch, merge_at):
    monkeypatch.setattr(summary, "_MERGE_AT", merge_at)
    random = np.random.default_rng(1)
    column = lists([random.integers(0, 30, size).tolist() for size in random.integers(0, 4, 500)], pa.int64())
    whole = summarise("x", column, ids=True)
    found = merge_all("x", (summarise("x", column.slice(start, 20), ids=True) for start in range(0, 500, 20)))
    assert (found.present, found.values, found.characters) == (whole.present, whole.values, whole.characters)
    assert found.numbers.moments == whole.numbers.moments
    assert found.lengths.counts.tolist() == whole.lengths.counts.tolist()
    assert found.frequencies.unique == whole.frequencies.unique
    assert merge_all("x", []) is None


def test_one_array_alone_is_bounded_too(monkeypatch):
    monkeypatch.setattr(frequencies.merge_frequencies, "__defaults__", (2, 2**26))
    found = merge_all("x", [summarise("x", lists([[b"a", b"b", b"a", b"c"]], pa.large_binary()))]).frequencies
    assert (found.undercount, found.unique, found.counts.values.to_pylist()) == (1, 3, [b"a"])


def test_long_texts_are_merged_before_they_fill_the_memory(monkeypatch):
    sizes = []
    one = summary.merge
    monkeypatch.setattr(summary, "merge", lambda name, parts: sizes.append(len(parts)) or one(name, parts))
    text = b"x" * 2**20
    parts = (summarise("x", lists([[text + bytes([at])]], pa.large_binary())) for at in range(20))
    assert merge_all("x", parts).frequencies.unique == 20
    # 8 parts of a little over 1 MiB beside the first are more than 8 MiB, then 9 are more than the 9 that are merged
    assert sizes == [9, 10, 3]
