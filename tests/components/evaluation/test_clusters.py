from __future__ import annotations

import numpy as np

from components.evaluation.clusters import clusters, group_order
from components.evaluation.slices import Slicing

SLICING = Slicing(codes=np.array([0, 1, 0, 0, 2, 1], np.uint8), values=(("a",), ("b",)))


def test_clusters_are_the_groups_of_a_slice():
    found = clusters(SLICING, group_order(np.array([7, 7, 3, 7, 3, 7])))
    # slice a: groups 3 and 7; slice b: group 7; no slice: group 3
    assert found.numbers.tolist() == [1, 2, 0, 1, 3, 2]
    assert found.counts.tolist() == [2, 1, 1]
    assert found.by_slice(np.array([1.0, 2.0, 4.0, 8.0])).tolist() == [3.0, 4.0, 8.0]
    assert found.to_clusters(np.array([5, 6, 7])).tolist() == [5, 5, 6, 7]


def test_rows_without_a_group_are_clusters():
    found = clusters(SLICING, group_order(np.array([-1, 0, -1, 0, -1, 0])))
    assert found.counts.tolist() == [3, 1, 1]
    assert found.numbers[1] == found.numbers[5] and len(set(found.numbers.tolist())) == 5
    assert clusters(SLICING, None).counts.tolist() == [3, 2, 1]


def test_an_empty_slice_has_no_clusters():
    found = clusters(Slicing(codes=np.array([2, 2], np.uint8), values=(("a",), ("b",))), None)
    assert found.counts.tolist() == [0, 0, 2]
    assert found.by_slice(np.ones(2)).tolist() == [0.0, 0.0, 2.0]
