from __future__ import annotations

from components.retrieval_evaluation.row_lists import RowLists

LISTS = [[3, 1], [], [2], []]


def test_lists_in_one_array():
    found = RowLists.of(LISTS)
    assert found.rows.tolist() == [3, 1, 2] and found.offsets.tolist() == [0, 2, 2, 3, 3]
    assert len(found) == 4 and found.lengths.tolist() == [2, 0, 1, 0]
    assert found.owners.tolist() == [0, 0, 2]
    assert [found[index].tolist() for index in range(4)] == LISTS


def test_a_part_begins_at_0():
    part = RowLists.of(LISTS).part(1, 3)
    assert len(part) == 2 and part.offsets.tolist() == [0, 0, 1] and part.rows.tolist() == [2]
    assert len(RowLists.of(LISTS).part(4, 4)) == 0


def test_empty():
    assert RowLists.empty(3).lengths.tolist() == [0, 0, 0] and len(RowLists.of([])) == 0
