"""The history of a user: the items chosen before each positive, and the last chosen items."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NOTHING = -1
"""Fills a history's places after its last item."""


def histories(
    users: NDArray[np.int32],
    times: NDArray[np.int64],
    example_ids: NDArray[np.int64],
    values: NDArray[np.int32],
    length: int,
) -> NDArray[np.int32]:
    """The values of each user's last positives strictly before each positive's time.

    Args:
        users: (positive,) code of the user.
        times: (positive,) in any order; what happened at the same time is no history of each other.
        example_ids: (positive,) the order of equal times.
        values: (positive,) what the histories hold, not negative.
        length: most values of a history, at least 1.

    Returns:
        (positive, length), the newest first, NOTHING behind the last.
    """
    rows = len(users)
    order = np.lexsort((example_ids, times, users))
    sorted_users, sorted_times, sorted_values = users[order], times[order], values[order]
    new_user = np.diff(sorted_users, prepend=NOTHING) != 0
    places = np.arange(rows)
    first_of_user = np.maximum.accumulate(np.where(new_user, places, 0))
    new_time = new_user | (np.diff(sorted_times, prepend=0) != 0)
    # What lies before this place, and is the user's, happened before.
    first_of_time = np.maximum.accumulate(np.where(new_time, places, 0))
    found = np.full((rows, length), NOTHING, np.int32)
    for back in range(length):
        before = first_of_time - 1 - back
        there = before >= first_of_user
        found[order[there], back] = sorted_values[before[there]]
    return found


def last_of_each(users: NDArray[np.int32], length: int) -> NDArray[np.int64]:
    """The places of each user's last positives, by rising user, each user's newest first.

    Args:
        users: (positive,) in the order of time.
        length: most positives of a user.
    """
    # Stable on the reversed rows: each user's newest come first.
    order = len(users) - 1 - np.argsort(users[::-1], kind="stable")
    sorted_users = users[order]
    new_user = np.diff(sorted_users, prepend=NOTHING) != 0
    places = np.arange(len(users))
    return order[places - np.maximum.accumulate(np.where(new_user, places, 0)) < length]
