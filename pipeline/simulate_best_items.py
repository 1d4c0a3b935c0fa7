"""The true values of the best items of the simulated shop for some users, so that a run can evaluate ranked lists by the truth."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pipeline.simulate_affinity import Offers
from pipeline.simulate_shop import Array, random
from pipeline.simulate_truth import Truth

USERS = 1_000
"""Maximum number of users."""

ITEMS = 300
"""Maximum number of items per user. More than lists are long, because an evaluation leaves out some items."""


def best_items(shop: Offers, score: Callable[[Truth], Array], seed: int) -> tuple[Array, Array, Array]:
    """The items of the largest true value for a random sample of users, at each user's last visit in the first position.

    Args:
        shop: the shop.
        score: maps true probabilities to a value, see `true_score`.
        seed: as for `simulate`.

    Returns:
        Numbers of the users, rising; numbers of the items, each user's best first, of equal ones the smaller number first; and
        the values. (rows,) each.
    """
    users = np.sort(random(seed, 20).permutation(np.unique(shop.logged.user))[:USERS])
    items = shop.on_sale()
    values = shop.values(shop.last_visits(users), items, score)
    best = np.argsort(-values, axis=1, kind="stable")[:, :ITEMS]
    return np.repeat(users, best.shape[1]), items[best].ravel(), np.take_along_axis(values, best, axis=1).ravel()
