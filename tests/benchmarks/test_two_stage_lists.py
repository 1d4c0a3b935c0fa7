from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from benchmarks.two_stage_lists import among, best, compare, held, worth

VALUES = np.array([[5.0, 4.0, 1.0, 0.5], [1.0, 2.0, 3.0, 4.0]])
"""The two best of the first visitor are 0 and 1, worth 9; of the second 3 and 2, worth 7."""


def test_recall_value_and_coverage_by_hand() -> None:
    """Lists {1, 2} and {0, 1}: hits 1 and 0 of 2; worth 5 of 9 and 3 of 7; three of four items."""
    found = worth("some", np.array([[1, 2, 0], [0, 1, 2]], np.int32), VALUES, 2)
    assert (found.method, found.recall, found.coverage) == ("some", 0.25, 0.75)
    assert found.value == pytest.approx((5 / 9 + 3 / 7) / 2)


def test_the_truth_is_worth_1_and_a_place_without_an_item_nothing() -> None:
    lines = compare({"truth": best(VALUES, 2), "half": np.array([[1, -1], [3, -1]], np.int32)}, VALUES, 2)
    assert [(line.method, line.recall, line.value) for line in lines] == [
        ("truth", 1.0, 1.0),
        ("half", 0.5, pytest.approx((4 / 9 + 4 / 7) / 2)),
    ]


def test_two_stages_by_hand() -> None:
    """The ranker likes 2, then 3, 0, 1; of the candidates 1 and 3 and 0 it puts 3 first."""
    scores = np.array([[0.2, 0.1, 0.9, 0.5]], np.float32)
    candidates = np.array([[1, 3, 0, -1]], np.int32)
    assert best(scores, 3).tolist() == [[2, 3, 0]]
    kept = among(scores, candidates)
    assert best(kept, 3).tolist() == [[3, 0, 1]] and best(kept, 4).tolist() == [[3, 0, 1, -1]]
    assert kept.dtype == np.float32 and scores.tolist()[0][2] == np.float32(0.9), "the scores themselves stay"
    assert held(candidates, np.array([[0, 2]], np.int32)) == 0.5


def test_of_equal_scores_the_smaller_item_comes_first() -> None:
    assert best(np.array([[1.0, 2.0, 2.0, 1.0, 1.0]]), 4).tolist() == [[1, 2, 0, 3]]


@given(st.data())
def test_against_sets_and_sums(data: Any) -> None:
    visitors, items = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 7))
    k = data.draw(st.integers(1, items))
    random = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    values: NDArray[np.float64] = random.permutation(visitors * items).reshape(visitors, items) + 1.0
    lists = np.array([random.permutation(items)[:k] for _ in range(visitors)], np.int32)
    recalls, shares = [], []
    for chosen, mine in zip(lists.tolist(), values.tolist(), strict=True):
        top = sorted(range(items), key=lambda item: -mine[item])[:k]
        recalls.append(len(set(top) & set(chosen)) / k)
        shares.append(sum(mine[item] for item in chosen) / sum(mine[item] for item in top))
    found = worth("any", lists, values, k)
    assert found.recall == pytest.approx(np.mean(recalls)) and found.value == pytest.approx(np.mean(shares))
    assert found.recall == pytest.approx(held(lists, best(values, k)))
    assert 0 < found.value <= 1
