from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.retrieval_evaluation.exact_top_k import NO_ITEM, exact_top_k, products, top_k_of_ranking
from components.retrieval_evaluation.row_lists import RowLists


def of_matrix(matrix):
    return lambda start, stop: np.array(matrix[start:stop])


def top_k(matrix, k, excluded=None, **options):
    matrix = np.asarray(matrix, np.float32)
    excluded = RowLists.empty(len(matrix)) if excluded is None else RowLists.of(excluded)
    return exact_top_k(of_matrix(matrix), *matrix.shape, k, excluded, **options)


def test_the_best_first_and_of_equal_ones_the_smaller_row():
    assert top_k([[1, 3, 2, 3, 2], [0, 0, 0, 0, 0]], 3).tolist() == [[1, 3, 2], [0, 1, 2]]


def test_excluded_items_are_not_answered():
    answers = top_k([[1, 3, 2], [1, 3, 2], [1, 3, 2]], 2, [[1], [], [0, 1, 2]])
    assert answers.tolist() == [[2, 0], [1, 2], [NO_ITEM, NO_ITEM]]


def test_fewer_items_than_places():
    assert top_k([[1, 2]], 5).tolist() == [[1, 0]]
    assert top_k([[1, 2, 3]], 3, [[0]]).tolist() == [[2, 1, NO_ITEM]]
    assert top_k(np.zeros((0, 4)), 2).shape == (0, 2)
    assert top_k(np.zeros((2, 0)), 2).shape == (2, 0)


def test_products():
    queries = np.array([[1, 2], [3, 4], [0, 1]], np.float32)
    items = np.array([[1, 0], [0, 1]], np.float32)
    assert products(queries, items)(1, 3).tolist() == [[3, 4], [0, 1]]


# Few different scores: most are equal to another, and some are no answer.
SCORES = st.sampled_from([-np.inf, -1.5, 0.0, 0.25, 1.0, np.inf])


@st.composite
def problems(draw):
    eval_queries, items = draw(st.integers(1, 6)), draw(st.integers(1, 8))
    matrix = draw(
        st.lists(st.lists(SCORES, min_size=items, max_size=items), min_size=eval_queries, max_size=eval_queries)
    )
    lists = st.lists(st.integers(0, items - 1), max_size=items)
    return matrix, draw(st.integers(1, 10)), draw(st.lists(lists, min_size=eval_queries, max_size=eval_queries))


@given(problems(), st.integers(1, 40))
def test_as_sorting_every_line(problem, cells):
    matrix, k, excluded = problem
    for line, out, found in zip(matrix, excluded, top_k(matrix, k, excluded, cells=cells), strict=True):
        left = [row for row in range(len(line)) if row not in out and line[row] > -np.inf]
        expected = sorted(left, key=lambda row, line=line: (-line[row], row))[:k]
        assert found.tolist() == expected + [NO_ITEM] * (min(k, len(line)) - len(expected))


@given(problems())
def test_one_ranking_is_the_same_scores_for_all(problem):
    matrix, k, excluded = problem
    finite = [0.0 if score == -np.inf else score for score in matrix[0]]
    ranking = np.argsort(-np.array(finite), kind="stable")
    expected = top_k([finite] * len(excluded), k, excluded)
    assert top_k_of_ranking(ranking, k, RowLists.of(excluded)).tolist() == expected.tolist()


@pytest.mark.parametrize("cells", [1, 7, 64, 10_000])
def test_blocks_change_nothing(cells):
    matrix = np.random.default_rng(3).integers(0, 4, (20, 30))
    assert np.array_equal(top_k(matrix, 7, cells=cells), top_k(matrix, 7))
