"""Maximal marginal relevance, by hand and against every choice spelled out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.recipe.errors import InputError
from pipeline.recommending.diversity import diversified, scaled


def test_by_hand() -> None:
    """Relevance 1, 0.9, 0.5; the second is along the first, the third at 60 degrees; diversity 0.4.

    First 0.6, 0.54, 0.3: the first. Then 0.54 - 0.4 = 0.14 against 0.3 - 0.4 * 0.5 = 0.1: the second. At 0.5, first the
    first again, then 0.45 - 0.5 = -0.05 against 0.25 - 0.25 = 0: the third.
    """
    relevance, vectors = np.array([1.0, 0.9, 0.5]), np.array([[1.0, 0.0], [3.0, 0.0], [1.0, np.sqrt(3)]])
    assert diversified(relevance, vectors, 3, 0.4).tolist() == [0, 1, 2]
    assert diversified(relevance, vectors, 3, 0.5).tolist() == [0, 2, 1]
    assert diversified(relevance, vectors, 2, 0.5).tolist() == [0, 2]


def test_an_opposite_item_is_the_least_alike() -> None:
    vectors = np.array([[1.0, 0.0], [0.0, 1.0], [-2.0, 0.0]])
    assert diversified(np.array([0.0, 0.0, 0.0]), vectors, 3, 1.0).tolist() == [0, 2, 1]


def test_an_item_without_a_vector_is_like_no_other() -> None:
    assert diversified(np.zeros(3), np.array([[1.0], [1.0], [0.0]]), 3, 0.5).tolist() == [0, 2, 1]


def slowly(relevance: np.ndarray, vectors: np.ndarray, chosen: list[int], item: int, diversity: float) -> float:
    """The formula for one item."""

    def cosine(a: np.ndarray, b: np.ndarray) -> float:
        both = np.sqrt((a * a).sum()) * np.sqrt((b * b).sum())
        return float((a * b).sum() / both) if both else 0.0

    alike = max((cosine(vectors[item], vectors[other]) for other in chosen), default=0.0)
    return float((1 - diversity) * relevance[item] - diversity * alike)


@given(st.data(), st.integers(0, 8), st.integers(1, 3), st.integers(0, 10), st.floats(0, 1))
def test_each_choice_is_the_best_of_those_left(data: Any, items: int, dim: int, count: int, diversity: float) -> None:
    relevance = data.draw(arrays(np.float64, items, elements=st.floats(0, 1)))
    vectors = data.draw(arrays(np.float32, (items, dim), elements=st.integers(-3, 3)))
    order = diversified(relevance, vectors, count, diversity).tolist()
    assert len(order) == len(set(order)) == min(count, items)
    for place, item in enumerate(order):
        values = {
            other: slowly(relevance, vectors, order[:place], other, diversity)
            for other in range(items)
            if other not in order[:place]
        }
        assert values[item] >= max(values.values()) - 1e-6


@given(arrays(np.float32, st.integers(0, 8), elements=st.floats(0, 1, width=32)))
def test_without_diversity_the_order_is_that_of_the_scores(relevance: np.ndarray) -> None:
    order = diversified(relevance, np.ones((len(relevance), 2)), len(relevance), 0.0)
    assert order.tolist() == np.argsort(-relevance, kind="stable").tolist()


@pytest.mark.parametrize("diversity", [-0.1, 1.1, float("nan")])
def test_a_diversity_outside_of_its_range(diversity: float) -> None:
    with pytest.raises(InputError, match="expected a number from 0 to 1"):
        diversified(np.ones(1), np.ones((1, 1)), 1, diversity)


def test_scores_from_0_to_1() -> None:
    nan, infinite = float("nan"), float("inf")
    assert scaled(np.array([2.0, 6.0, 3.0], np.float32)).tolist() == [0.0, 1.0, 0.25]
    assert scaled(np.array([5.0, 5.0])).tolist() == [0.0, 0.0]
    assert scaled(np.array([nan, 1.0, infinite, 3.0, -infinite])).tolist() == [0.0, 0.0, 1.0, 1.0, 0.0]
    assert scaled(np.array([nan, nan])).tolist() == [0.0, 0.0]
    assert scaled(np.array([])).tolist() == []
