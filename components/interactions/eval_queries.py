"""The eval queries: users of the eval split, their features and history before it, and the items they chose in it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from components.columnar.lists import to_arrow
from components.event_logs.identity import row_hashes
from components.example_schema import EXAMPLE_ID, TIME
from components.interactions.codes import Codes
from components.interactions.history import last_of_each
from models.retrieval.plan import HISTORY

SEEN, RELEVANT = "seen", "relevant"
_Pairs = NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class Choices:
    """Who chose what, in the order of time.

    Attributes:
        users: (positive,) code of the user.
        items: (positive,) code of the item.
    """

    users: Codes
    items: Codes

    def pairs(self) -> _Pairs:
        """The distinct pairs of user and item, rising."""
        return np.unique(self.users.astype(np.int64) << 32 | self.items.astype(np.int64))


def first_of_each(parts: Sequence[pl.DataFrame], user: str) -> pl.DataFrame:
    """Each user's first row by (TIME, EXAMPLE_ID), in no particular order."""
    return pl.concat(parts).sort(TIME, EXAMPLE_ID).unique(user, keep="first", maintain_order=True)


def relevant_pairs(train: Choices, evaluated: Choices, answerable: NDArray[np.bool_], exclude_seen: bool) -> _Pairs:
    """What can be found of what the users of the eval split chose: distinct pairs of user and item, rising.

    Args:
        train, evaluated: the splits' positives, in the same codes.
        answerable: (item,) whether the item was known before the eval split began.
        exclude_seen: leaves out what the user had chosen in the train split.
    """
    pairs = evaluated.pairs()
    pairs = pairs[answerable[pairs & 0xFFFFFFFF]] if len(pairs) else pairs
    if not exclude_seen:
        return pairs
    theirs = np.isin(train.users, evaluated.users)
    return np.setdiff1d(pairs, Choices(train.users[theirs], train.items[theirs]).pairs(), assume_unique=True)


def asked_users(pairs: _Pairs, users: pl.Series, most: int) -> Codes:
    """The codes, rising, of at most so many of the users in the pairs: those of the smallest fingerprints.

    Which ones does not depend on what else is in the logs.

    Args:
        pairs: as of `relevant_pairs`.
        users: raw ids by code.
        most: at least 1.
    """
    codes = np.unique(pairs >> 32)
    fingerprints = row_hashes(users.gather(codes).alias("user").to_frame()).to_numpy()
    return np.sort(codes[np.argsort(fingerprints, kind="stable")[:most]]).astype(np.int32)


def eval_query_table(
    train: Choices,
    relevant: _Pairs,
    asked: Codes,
    first: pl.DataFrame,
    users: pl.Series,
    items: pl.Series,
    length: int,
) -> pa.Table:
    """One row for each user who is asked about, by rising id.

    Args:
        train: the train split's positives.
        relevant: as of `relevant_pairs`.
        asked: codes of the users, rising.
        first: a row for each of them at least: the user's column first, named so, and raw columns at his first positive of
            the eval split.
        users, items: raw ids by code.
        length: most items of a history.

    Returns:
        The user's column and the raw columns; as lists of raw item ids HISTORY, the last positives of the train split,
        the newest first; SEEN, all items of it, and RELEVANT, both by rising id.
    """
    user = first.columns[0]
    ids = pl.DataFrame({user: users.gather(asked)})
    known = ids.join(first, on=user, how="left", maintain_order="left")
    his = np.isin(train.users, asked)
    of_train = Choices(train.users[his], train.items[his])
    newest = last_of_each(of_train.users, length) if length else np.zeros(0, np.int64)
    seen = of_train.pairs()
    wanted = relevant[np.isin(relevant >> 32, asked)]
    lists = {
        HISTORY: _lists(asked, of_train.users[newest], of_train.items[newest], items),
        SEEN: _lists(asked, seen >> 32, seen & 0xFFFFFFFF, items),
        RELEVANT: _lists(asked, wanted >> 32, wanted & 0xFFFFFFFF, items),
    }
    columns = {name: to_arrow(known[name]) for name in known.columns}
    return pa.table({**columns, **lists})


def _lists(
    asked: Codes, owners: NDArray[np.integer], codes: NDArray[np.integer], items: pl.Series
) -> pa.LargeListArray:
    """The raw ids of each user's items; `owners` rising."""
    offsets = np.append(np.searchsorted(owners, asked), len(owners)).astype(np.int64)
    return pa.LargeListArray.from_arrays(pa.array(offsets), to_arrow(items.gather(codes)))
