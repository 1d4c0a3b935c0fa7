from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.retrieval_evaluation import metrics
from components.retrieval_evaluation.metrics import measure, true_recalls
from components.retrieval_evaluation.row_lists import RowLists
from models.recipe.retrieval import metric_names

POPULARITY = np.array([10, 5, 4, 1, 0, 0])
WEIGHTS = np.array([1.0, 2.0, 3.0, 4.0, 8.0, 16.0])


def answers_of(lists, width):
    return np.array([[*one, *[-1] * (width - len(one))] for one in lists], np.int32).reshape(len(lists), width)


def test_by_hand():
    found = measure(answers_of([[2, 0, 5], [1]], 3), RowLists.of([[0, 3], [4]]), POPULARITY, WEIGHTS, (1, 3))[0]
    assert found == pytest.approx(
        {
            "recall@1": 0.0,
            "recall@3": (1 / 2 + 0) / 2,
            # Of 1 + 4 + 8, the first query's item 0.
            "weighted_recall@1": 0.0,
            "weighted_recall@3": 1 / 13,
            "ndcg@1": 0.0,
            # One hit at place 2; at best there were hits at places 1 and 2.
            "ndcg@3": (0.6309298 / (1 + 0.6309298) + 0) / 2,
            "mrr": (1 / 2 + 0) / 2,
            "coverage@1": 2 / 6,
            "coverage@3": 4 / 6,
            # Relevant: (10 + 1) / 2 and 0.
            "popularity_bias@1": ((4 + 5) / 2) / 2.75,
            "popularity_bias@3": ((14 / 3 + 5) / 2) / 2.75,
        }
    )
    assert tuple(found) == metric_names((1, 3))


def test_the_best_answer_is_worth_1():
    found = measure(answers_of([[3, 0], [4, 1]], 2), RowLists.of([[0, 3], [4]]), POPULARITY, WEIGHTS, (2,))[0]
    assert (found["recall@2"], found["ndcg@2"], found["mrr"]) == (1.0, 1.0, 1.0)


def test_more_relevant_items_than_places():
    found = measure(answers_of([[3]], 1), RowLists.of([[0, 1, 2, 3]]), POPULARITY, WEIGHTS, (1,))[0]
    assert (found["recall@1"], found["ndcg@1"]) == (0.25, 1.0)


def test_what_has_no_value():
    nothing = measure(np.zeros((0, 2), np.int32), RowLists.empty(0), POPULARITY, WEIGHTS, (2,))[0]
    assert set(nothing.values()) == {None}
    never_chosen = measure(answers_of([[0, 1]], 2), RowLists.of([[4]]), POPULARITY, WEIGHTS, (2,))[0]
    assert never_chosen["popularity_bias@2"] is None
    no_answer = measure(answers_of([[]], 2), RowLists.of([[0]]), POPULARITY, WEIGHTS, (2,))[0]
    assert no_answer["popularity_bias@2"] is None
    assert (no_answer["recall@2"], no_answer["mrr"], no_answer["coverage@2"]) == (0.0, 0.0, 0.0)


def test_a_question_without_an_answer_has_no_popularity():
    found = measure(answers_of([[1], []], 1), RowLists.of([[0], [0]]), POPULARITY, WEIGHTS, (1,))[0]
    assert found["popularity_bias@1"] == 0.5


def slow(answers, relevant, popularity, weights, ks):
    found = {}
    for k in ks:
        recalls, gains, of_answers, of_relevant, distinct = [], [], [], [], set()
        for line, wanted in zip(answers, relevant, strict=True):
            first = line[:k]
            recalls.append(len(set(first) & set(wanted)) / len(wanted))
            gain = sum(1 / math.log2(place + 1) for place, item in enumerate(first, 1) if item in wanted)
            gains.append(gain / sum(1 / math.log2(place + 1) for place in range(1, min(k, len(wanted)) + 1)))
            if first:
                of_answers.append(sum(popularity[item] for item in first) / len(first))
            of_relevant.append(sum(popularity[item] for item in wanted) / len(wanted))
            distinct |= set(first)
        pairs = [(item in line[:k], weights[item]) for line, own in zip(answers, relevant, strict=True) for item in own]
        found[f"weighted_recall@{k}"] = sum(w for hit, w in pairs if hit) / sum(w for _, w in pairs)
        found[f"recall@{k}"], found[f"ndcg@{k}"] = np.mean(recalls), np.mean(gains)
        found[f"coverage@{k}"] = len(distinct) / len(popularity)
        there = of_answers and any(of_relevant)
        found[f"popularity_bias@{k}"] = np.mean(of_answers) / np.mean(of_relevant) if there else None
    ranks = [
        next((place for place, item in enumerate(line[: max(ks)], 1) if item in wanted), math.inf)
        for line, wanted in zip(answers, relevant, strict=True)
    ]
    return found | {"mrr": np.mean([1 / rank for rank in ranks])}


@st.composite
def answered(draw):
    eval_queries, items = draw(st.integers(1, 6)), draw(st.integers(1, 9))
    some = st.lists(st.integers(0, items - 1), unique=True)
    lists = draw(st.lists(some, min_size=eval_queries, max_size=eval_queries))
    wanted = st.lists(st.integers(0, items - 1), min_size=1, unique=True)
    relevant = draw(st.lists(wanted, min_size=eval_queries, max_size=eval_queries))
    popularity = draw(st.lists(st.integers(0, 5), min_size=items, max_size=items))
    weights = draw(st.lists(st.floats(0.5, 50.0), min_size=items, max_size=items))
    return (
        lists,
        relevant,
        popularity,
        weights,
        tuple(sorted(draw(st.sets(st.integers(1, 10), min_size=1, max_size=3)))),
    )


@given(answered())
def test_as_counted_one_by_one(problem):
    lists, relevant, popularity, weights, ks = problem
    answers = answers_of(lists, len(popularity))
    found = measure(answers, RowLists.of(relevant), np.array(popularity), np.array(weights), ks)[0]
    assert found == pytest.approx(slow(lists, relevant, popularity, weights, ks), abs=1e-12)


@given(answered())
def test_equal_weights_give_the_share_of_all_chosen_items_together(problem):
    lists, relevant, popularity, _, ks = problem
    answers, k = answers_of(lists, len(popularity)), ks[0]
    found = measure(answers, RowLists.of(relevant), np.array(popularity), np.full(len(popularity), 3.0), ks)[0]
    hits = sum(len(set(line[:k]) & set(own)) for line, own in zip(lists, relevant, strict=True))
    assert found[f"weighted_recall@{k}"] == pytest.approx(hits / sum(map(len, relevant)))


def test_true_recall_by_hand():
    """Two of three queries have known best items, the second one only one."""
    answers = answers_of([[2, 0, 5], [1], [3, 4]], 3)
    best = np.array([[0, 2, 1], [-1, -1, -1], [4, -1, -1]], np.int32)
    found = true_recalls(answers, best, (1, 2, 3))
    assert {name: ratio.value for name, ratio in found.items()} == pytest.approx(
        {"true_recall@1": 0.0, "true_recall@2": (2 / 2 + 1 / 1) / 2, "true_recall@3": (2 / 3 + 1 / 1) / 2}
    )
    assert true_recalls(answers, best[[1, 1, 1]], (1,))["true_recall@1"].value is None


@given(answered())
def test_true_recall_as_counted_one_by_one(problem):
    lists, best, popularity, _, ks = problem
    width = len(popularity)
    found = true_recalls(answers_of(lists, width), answers_of(best, width), ks)
    for k in ks:
        shares = [len(set(line[:k]) & set(own[:k])) / len(own[:k]) for line, own in zip(lists, best, strict=True)]
        assert found[f"true_recall@{k}"].value == pytest.approx(np.mean(shares))


def test_in_parts(monkeypatch):
    generator = np.random.default_rng(5)
    answers = np.argsort(generator.random((50, 20)), axis=1).astype(np.int32)
    relevant = RowLists.of(generator.choice(20, 3, replace=False) for _ in range(50))
    whole = measure(answers, relevant, np.arange(20), np.arange(1.0, 21.0), (3, 10))[0]
    monkeypatch.setattr(metrics, "_CELLS", 45)
    assert measure(answers, relevant, np.arange(20), np.arange(1.0, 21.0), (3, 10))[0] == whole
