from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from components.retrieval_evaluation.exact_top_k import NO_ITEM
from components.retrieval_evaluation.reading import as_lists
from components.retrieval_evaluation.row_lists import RowLists
from components.retrieval_evaluation.served import UNKNOWN, check_served, chosen_eval_queries, first_difference

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
        ([[2, 3, 0], [3, 0, 4]], SCORES, "query 1, place 2: exactly computed the score is 0, the item's own is -1"),
        (
            ROWS,
            [[2, 2, 1], [2, 0, -1.01]],
            "query 1, place 3: exactly computed the score is -1, the answer says -1.01",
        ),
        (ROWS, [[2, np.nan, 1], [2, 0, -1]], "place 2: exactly computed the score is 2, the answer says nan"),
        ([[1, 2, 3], [3, 4, 0]], [[3, 2, 2], [2, 0, -1]], "query 0: the answer has an excluded item"),
        ([[2, 2, 0], [3, 4, 0]], SCORES, "query 0: the answer has an item twice"),
        ([[2, UNKNOWN, 0], [3, 4, 0]], SCORES, "query 0: the answer has an item that is not in the model's item table"),
        ([[2, 3, NO_ITEM], [3, 4, 0]], SCORES, "query 0: the answer has 2 items, the exact computation 3"),
    ],
)
def test_the_first_difference(rows, scores, words):
    assert words in difference(rows, scores)


def test_chosen_queries():
    assert chosen_eval_queries(3).tolist() == [0, 1, 2]
    found = chosen_eval_queries(1000)
    assert len(found) == 50 and (found[0], found[-1]) == (0, 999)


class Exact:
    """Answers all items that are not excluded, and keeps how many cells of excluded ids each request had."""

    def __init__(self):
        self.cells = []
        self.notes = {
            "inputs": {name: {"type": "int", "multivalued": True} for name in ("history", "exclude")},
            "item": {"column": "item", "type": "int"},
        }

    def retrieve(self, columns):
        self.cells.append(columns["exclude"].size)
        out = np.isin(np.arange(len(ITEMS)), columns["exclude"])
        scores = np.where(out, -np.inf, ITEMS @ QUERIES[len(self.cells) - 1]).astype(np.float32)
        order = np.argsort(-scores, kind="stable")
        return {
            "item_ids": np.where(np.isinf(scores), -1, np.arange(len(ITEMS)))[order][None],
            "scores": scores[order][None],
        }


def test_one_user_s_long_list_is_compared_with_his_own_items_only():
    model, ids = Exact(), pa.int64()
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(ITEMS.reshape(-1)), 2)
    table = pa.table({"item": pa.array(range(len(ITEMS)), ids), "gatewise/vector": vectors})
    seen = [[1, *range(100, 1100)], []]
    eval_queries = pa.table({"history": pa.array([[], [1]], pa.list_(ids)), "seen": pa.array(seen, pa.list_(ids))})
    assert check_served(model, table, as_lists(eval_queries), QUERIES) is None
    assert model.cells == [1001, 0]
