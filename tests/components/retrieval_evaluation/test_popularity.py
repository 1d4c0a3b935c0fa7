from __future__ import annotations

import numpy as np

from components.retrieval_evaluation.eval_queries import TrainPositives
from components.retrieval_evaluation.popularity import DAY, popular, popular_last_day


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
