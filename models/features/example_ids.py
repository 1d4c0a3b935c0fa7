"""The order of the examples of a split by their ids."""

from __future__ import annotations

import numpy as np

from models.features.epoch_orders import index_type
from models.recipe.errors import InputError


def in_order(ids: np.ndarray, pattern: str) -> tuple[np.ndarray, np.ndarray]:
    """The sorted ids, and the position of each given id among them.

    Args:
        ids: (example,), in the order of the files.
        pattern: glob of the files, for the message.

    Raises:
        InputError: an id occurs more than once.
    """
    order = np.argsort(ids, kind="stable")
    rising = ids[order]
    repeated = np.flatnonzero(np.diff(rising) == 0)
    if len(repeated):
        raise InputError(
            f"{pattern}: the example id {rising[repeated[0]]} occurs more than once. Are there files of two runs?"
        )
    places = np.empty(len(order), index_type(len(order)))
    places[order] = np.arange(len(order))
    return rising, places
