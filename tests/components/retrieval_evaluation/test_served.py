from __future__ import annotations

import numpy as np
import pytest

from components.retrieval_evaluation.exact_top_k import NO_ITEM
from components.retrieval_evaluation.row_lists import RowLists
from components.retrieval_evaluation.served import UNKNOWN, chosen_questions, first_difference

QUERIES = np.array([[1.0, 1.0], [-1.0, 1.0]], np.float32)
# Scores: 1, 3, 2, 2, 0 and -1, -3, -2, 2, 0
ITEMS = np.array([[1, 0], [3, 0], [2, 0], [0, 2], [0, 0]], np.float32)
ROWS, SCORES = [[2, 3, 0], [3, 4, 0]], [[2, 2, 1], [2, 0, -1]]
EXCLUDED = RowLists.of([[1], []])


def difference(rows=None, scores=None, excluded=EXCLUDED):
    rows = np.array(ROWS if rows is None else rows, np.int32)
    return first_difference(rows, np.array(SCORES if scores is None else scores, np.float32), QUERIES, ITEMS, excluded)


def test_the_right_answer():
    assert difference() is None


def test_equal_scores_may_stand_in_any_order():
    assert difference(rows=[[3, 2, 0], [3, 4, 0]]) is None


def test_rounding_is_no_difference():
    assert difference(scores=np.array(SCORES) + 1e-6) is None


def test_no_items_left():
    excluded = RowLists.of([[0, 1, 2, 4], []])
    scores = [[2, -np.inf, -np.inf], [2, 0, -1]]
    assert difference(rows=[[3, NO_ITEM, NO_ITEM], [3, 4, 0]], scores=scores, excluded=excluded) is None


@pytest.mark.parametrize(
    ("rows", "scores", "words"),
    [
        ([[2, 3, 0], [3, 0, 4]], SCORES, "question 1, place 2: exactly computed the score is 0, the item's own is -1"),
        (
            ROWS,
            [[2, 2, 1], [2, 0, -1.01]],
            "question 1, place 3: exactly computed the score is -1, the answer says -1.01",
        ),
        (ROWS, [[2, np.nan, 1], [2, 0, -1]], "place 2: exactly computed the score is 2, the answer says nan"),
        ([[1, 2, 3], [3, 4, 0]], [[3, 2, 2], [2, 0, -1]], "question 0: an item is answered that was to be excluded"),
        ([[2, 2, 0], [3, 4, 0]], SCORES, "question 0: an item is answered twice"),
        ([[2, UNKNOWN, 0], [3, 4, 0]], SCORES, "question 0: an item is answered that is not in the model's own table"),
        ([[2, 3, NO_ITEM], [3, 4, 0]], SCORES, "question 0: 2 items are answered, and exactly computed there are 3"),
    ],
)
def test_the_first_difference(rows, scores, words):
    assert words in difference(rows, scores)


def test_chosen_questions():
    assert chosen_questions(3).tolist() == [0, 1, 2]
    found = chosen_questions(1000)
    assert len(found) == 50 and (found[0], found[-1]) == (0, 999)
