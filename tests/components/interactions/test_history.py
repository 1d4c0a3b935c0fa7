"""Histories by hand, and against looking through all positives for each."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from components.interactions.history import histories, last_of_each

POSITIVES = st.lists(st.tuples(st.integers(0, 3), st.integers(-2, 6), st.integers(0, 50)), max_size=30)


def test_the_newest_first_and_nothing_of_the_same_time() -> None:
    users = np.array([7, 7, 7, 8, 7], np.int32)
    times = np.array([10, 20, 20, 15, 30])
    values = np.array([1, 2, 3, 4, 5], np.int32)
    found = histories(users, times, np.array([1, 3, 2, 4, 5]), values, 2)
    # The two of time 20 don't see each other; of equal times the larger example id is the newer.
    assert found.tolist() == [[-1, -1], [1, -1], [1, -1], [-1, -1], [2, 3]]
    assert found.dtype == np.int32


@given(POSITIVES, st.integers(1, 4), st.randoms())
def test_like_looking_through_all_positives(rows: list[tuple[int, int, int]], length: int, random: object) -> None:
    ids = list(range(len(rows)))
    random.shuffle(ids)  # type: ignore[attr-defined]
    expected = []
    for user, time, _ in rows:
        before = [
            (other_time, ids[place], value)
            for place, (other, other_time, value) in enumerate(rows)
            if other == user and other_time < time
        ]
        newest = [value for *_, value in sorted(before, reverse=True)[:length]]
        expected.append(newest + [-1] * (length - len(newest)))
    users, times, values = (np.array([row[place] for row in rows], np.int64) for place in range(3))
    found = histories(users.astype(np.int32), times, np.array(ids, np.int64), values.astype(np.int32), length)
    assert found.tolist() == expected
    assert found.shape == (len(rows), length)


def test_the_last_of_each_user() -> None:
    users = np.array([2, 1, 2, 2, 1, 3], np.int32)
    assert last_of_each(users, 2).tolist() == [4, 1, 3, 2, 5]
    assert last_of_each(users, 1).tolist() == [4, 3, 5]
    assert last_of_each(users[:0], 1).tolist() == []


@given(st.lists(st.integers(0, 3), max_size=20), st.integers(1, 4))
def test_the_last_of_each_user_like_one_after_the_other(users: list[int], length: int) -> None:
    expected = []
    for user in sorted(set(users)):
        expected += [place for place, other in enumerate(users) if other == user][::-1][:length]
    assert last_of_each(np.array(users, np.int32), length).tolist() == expected
