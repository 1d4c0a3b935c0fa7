"""EvalQueries against sets, and the choice of users."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from components.interactions.eval_queries import Choices, asked_users, eval_query_table, relevant_pairs

PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5)), max_size=30)
USERS, ITEMS = pl.Series([f"u{code}".encode() for code in range(5)]), pl.Series(range(100, 106))
FIRST = pl.DataFrame({"user_id": USERS[::-1], "age": [[float(code)] for code in range(5)][::-1]})


def choices(pairs: list[tuple[int, int]]) -> Choices:
    return Choices(*(np.array([pair[place] for pair in pairs], np.int32) for place in range(2)))


@given(PAIRS, PAIRS, st.lists(st.booleans(), min_size=6, max_size=6), st.booleans(), st.integers(0, 3))
def test_like_sets(train: Any, evaluated: Any, known: list[bool], exclude_seen: bool, length: int) -> None:
    relevant = relevant_pairs(choices(train), choices(evaluated), np.array(known), exclude_seen)
    wanted = {pair for pair in evaluated if known[pair[1]] and not (exclude_seen and pair in train)}
    assert [divmod(int(pair), 1 << 32) for pair in relevant] == sorted(wanted)
    asked = asked_users(relevant, USERS, 100)
    found = eval_query_table(choices(train), relevant, asked, FIRST, USERS, ITEMS, length).to_pylist()
    assert found == [
        {
            "user_id": f"u{user}".encode(),
            "age": [float(user)],
            "history": [100 + item for other, item in train[::-1] if other == user][:length],
            "seen": sorted({100 + item for other, item in train if other == user}),
            "relevant": sorted(100 + item for other, item in wanted if other == user),
        }
        for user in sorted({user for user, _ in wanted})
    ]


def test_which_users_are_asked_does_not_depend_on_the_others() -> None:
    users = pl.Series([f"user {number:04d}" for number in range(1000)])
    every = np.arange(1000, dtype=np.int64) << 32
    asked = asked_users(every, users, 50)
    assert len(asked) == 50 and (np.diff(asked) > 0).all()
    # Without half of those who were not chosen the same are chosen.
    left = np.union1d(asked, np.arange(0, 1000, 2))
    again = asked_users(np.arange(len(left), dtype=np.int64) << 32, users.gather(left), 50)
    assert left[again].tolist() == asked.tolist()
    # Not simply the first ones.
    assert asked.max() > 500
