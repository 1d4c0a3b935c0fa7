from __future__ import annotations

import collections
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.retrieval_evaluation.eval_queries import EvalQueries, TrainPositives
from components.retrieval_evaluation.exact_top_k import exact_top_k
from components.retrieval_evaluation.methods import (
    DAY,
    METHODS,
    co_occurrence_scores,
    last_items,
    popular,
    popular_last_day,
)
from components.retrieval_evaluation.row_lists import RowLists
from models.recipe.retrieval import BASELINES

ASKED = EvalQueries(
    relevant=RowLists.of([[0], [1], [2]]),
    excluded=RowLists.of([[1], [], [0, 1, 2, 3]]),
    history=RowLists.of([[1], [], [0, 1]]),
    popularity=np.array([3, 4, 0, 1]),
    exposure=np.ones(4, np.int64),
    train=TrainPositives(
        users=np.array([0, 0, 1, 1, 2, 2, 3, 3], np.int32),
        items=np.array([0, 1, 0, 1, 1, 3, 0, 1], np.int32),
        times=np.arange(8, dtype=np.int64),
        latest=7,
    ),
)


def test_the_table_is_the_recipe():
    assert tuple(METHODS) == BASELINES


@pytest.mark.parametrize("method", METHODS)
def test_contract(method):
    found = METHODS[method](ASKED, 3)
    assert found.shape == (3, 3) and found.dtype == np.int32
    for question, line in enumerate(found):
        answered = line[line >= 0]
        assert len(set(answered)) == len(answered)
        assert not set(answered) & set(ASKED.excluded[question])
        assert (line[len(answered) :] == -1).all()
    assert (found[0] >= 0).sum() == 3 and (found[2] == -1).all()
    # Who chose nothing before is answered what is popular.
    assert found[1].tolist() == [1, 0, 3]
    assert METHODS[method](ASKED, 9).shape == (3, 4)


def train_of(items, times, latest=None):
    items, times = np.array(items, np.int32), np.array(times, np.int64)
    return TrainPositives(users=np.zeros(len(items), np.int32), items=items, times=times, latest=latest or times.max())


def test_popular():
    assert popular(np.array([1, 3, 0, 3])).tolist() == [1, 3, 0, 2]


def test_the_last_day_begins_after_the_moment_24_hours_before_the_last_positive():
    end = 10 * DAY
    train = train_of([0, 0, 1, 2], [end - DAY, end - DAY, end - DAY + 1, end])
    # Item 0 was chosen most often, and not in the last day; 1 and 2 once each, and 2 more often before.
    assert popular_last_day(np.array([9, 1, 4, 0]), train).tolist() == [2, 1, 0, 3]


def test_the_day_ends_with_the_split_whatever_was_chosen_then():
    train = train_of([0, 1, 1], [DAY // 2, DAY, DAY], latest=2 * DAY - 1)
    assert popular_last_day(np.array([5, 2]), train).tolist() == [1, 0]
    nothing = train_of([0, 1, 1], [0, 0, 0], latest=5 * DAY)
    assert popular_last_day(np.array([5, 2]), nothing).tolist() == [0, 1]


def eval_queries_of(positives, histories, popularity):
    """`positives`: (user, item) in the order of time."""
    users, items = (np.array([one[at] for one in positives], np.int32) for at in (0, 1))
    train = TrainPositives(users=users, items=items, times=np.arange(len(users)), latest=len(users))
    return EvalQueries(
        relevant=RowLists.of([[0]] * len(histories)),
        excluded=RowLists.empty(len(histories)),
        history=RowLists.of(histories),
        popularity=np.array(popularity),
        exposure=np.ones(len(popularity), np.int64),
        train=train,
    )


def scores_of(asked, most=50):
    return co_occurrence_scores(asked, most)(0, len(asked))


def test_by_hand():
    # Users 0 and 1 chose items 0 and 1; user 2 chose 1 and 2; item 3 is nobody's, item 4 alone.
    positives = [(0, 0), (0, 1), (1, 0), (1, 1), (2, 1), (2, 2), (3, 4)]
    popularity = [2, 3, 1, 0, 1]
    [one, both, nobody] = scores_of(eval_queries_of(positives, [[0], [0, 1, 0], []], popularity))
    # Once 0 is known: 1 by 2 / sqrt(2 * 3); the others by popularity, 1 before 0 before 2 before 4 before 3.
    assert one.tolist() == pytest.approx([-2, 2 / math.sqrt(6), -3, -5, -4])
    # Both known, one of them twice, which counts once: 0 and 1 by each other, 2 by 1 / sqrt(3 * 1).
    assert both.tolist() == pytest.approx([2 / math.sqrt(6), 2 / math.sqrt(6), 1 / math.sqrt(3), -5, -4])
    assert nobody.tolist() == [-2, -1, -3, -5, -4]


def test_a_user_without_history_gets_popular_items():
    asked = eval_queries_of([(0, 0), (0, 1)], [[]], [1, 1, 7])
    assert exact_top_k(co_occurrence_scores(asked), 1, 3, 3, asked.excluded).tolist() == [[2, 0, 1]]


def test_no_positive_at_all():
    assert scores_of(eval_queries_of([], [[1]], [0, 0])).tolist() == [[-1, -2]]


def test_the_last_items_of_a_user_each_once():
    users = np.array([5, 2, 5, 5, 2, 5], np.int32)
    items = np.array([1, 1, 2, 3, 1, 1], np.int32)
    found = last_items(users, items, 2)
    assert [one.tolist() for one in found] == [[2, 5, 5], [1, 1, 3]]


def slow(positives, histories, popularity, most):
    latest = collections.defaultdict(list)
    for user, item in positives[::-1]:
        if item not in latest[user]:
            latest[user].append(item)
    sets = [set(items[:most]) for items in latest.values()]
    ranking = sorted(range(len(popularity)), key=lambda item: (-popularity[item], item))
    found = []
    for history in histories:
        line = []
        for item in range(len(popularity)):
            score = sum(
                sum(known in one and item in one for one in sets)
                / math.sqrt(sum(known in one for one in sets) * sum(item in one for one in sets) or 1)
                for known in set(history) - {item}
            )
            line.append(score or -1 - ranking.index(item))
        found.append(line)
    return found


@st.composite
def problems(draw):
    items = draw(st.integers(1, 6))
    some = st.integers(0, items - 1)
    positives = draw(st.lists(st.tuples(st.integers(0, 4), some), max_size=30))
    histories = draw(st.lists(st.lists(some, max_size=5), min_size=1, max_size=4))
    popularity = draw(st.lists(st.integers(0, 9), min_size=items, max_size=items))
    return positives, histories, popularity, draw(st.integers(1, 4))


@given(problems())
def test_as_counted_one_by_one(problem):
    positives, histories, popularity, most = problem
    found = scores_of(eval_queries_of(positives, histories, popularity), most)
    np.testing.assert_allclose(found, slow(positives, histories, popularity, most), rtol=1e-5)


@given(problems(), st.randoms())
def test_the_order_of_a_history_changes_no_bit(problem, random):
    positives, histories, popularity, most = problem
    found = scores_of(eval_queries_of(positives, histories, popularity), most)
    shuffled = [random.sample(one, len(one)) for one in histories]
    assert np.array_equal(scores_of(eval_queries_of(positives, shuffled, popularity), most), found)


def test_parts_of_the_queries():
    asked = eval_queries_of([(0, 0), (0, 1), (1, 1), (1, 2)], [[0], [1], [2]], [1, 2, 1])
    scores = co_occurrence_scores(asked)
    assert np.array_equal(scores(1, 3), scores(0, 3)[1:])
