"""The positives: the examples in which the user chose the item, and their weights."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from components.evaluation.reading import NOT_PACKED, matrix
from components.example_schema import EXAMPLE_ID, TIME
from models.recipe.checks.served_names import OWN

WEIGHT = f"{OWN}weight"
"""Column of the raw examples, while they are read, with what each counts as a positive."""

KNOWN = f"{OWN}known"
"""Column of the raw examples, while they are read: whether it could have become a positive by now."""


@dataclasses.dataclass
class Positives:
    """Positives of one split.

    Attributes:
        ids: the columns that name user and item, TIME, EXAMPLE_ID and WEIGHT (float32, above 0).
        packed: {packed column: (positive, width)} of the same rows.
    """

    ids: pl.DataFrame
    packed: dict[str, NDArray[Any]]

    def __len__(self) -> int:
        return self.ids.height


def positive_weights(
    labels: NDArray[np.float32],
    weights: NDArray[np.float32],
    tasks: Sequence[str],
    counts: Mapping[str, float],
    impression: float,
) -> NDArray[np.float32]:
    """What each example counts: impression + sum over tasks of counts[task] weight [label > 0]; 0: no positive.

    Args:
        labels, weights: (example, task); a weight of 0 says that nobody knows yet, or that it could not happen.
        tasks: their names, in that order.
        counts: {task: what it counts}.
        impression: what being in the log counts.

    Returns:
        (example,) float32.

    Raises:
        ValueError: the examples have no labels of a task.
    """
    if missing := [task for task in counts if task not in tasks]:
        raise ValueError(f"the examples have no labels of {missing}; they have those of {list(tasks)}")
    total = np.full(len(labels), impression)
    # In the order of the examples' tasks: a sum of floats must not depend on the order in the recipe.
    for place, task in enumerate(tasks):
        if task in counts:
            total += counts[task] * np.where(labels[:, place] > 0, weights[:, place], 0.0).astype(np.float64)
    return total.astype(np.float32)


def outcome_known(
    weights: NDArray[np.float32], tasks: Sequence[str], counted: Collection[str], impression: float
) -> NDArray[np.bool_]:
    """Which examples have the label of a counted task, so that none of them being positive says something.

    Without those whose windows are all open, which would count as shown and not chosen.

    Args:
        weights: (example, task).
        tasks: their names, in that order.
        counted: tasks whose outcome makes a positive.
        impression: what being in the log counts; above 0 every example is known.
    """
    if impression > 0:
        return np.ones(len(weights), bool)
    known = weights[:, [task in counted for task in tasks]] > 0
    return np.any(known, axis=1)


def chosen(examples: pl.DataFrame, user: str, item: str) -> pl.Series:
    """(example,) bool: which are positives: those of a WEIGHT above 0, with a user and an item."""
    named = pl.all_horizontal(pl.col(user, item).is_not_null())
    return examples.select((pl.col(WEIGHT) > 0) & named).to_series()


def positives_of(examples: pl.DataFrame, transformed: pa.Table, which: pl.Series, user: str, item: str) -> Positives:
    """The positives among some examples, as copies.

    Args:
        examples: the columns of `Positives.ids`, and others.
        transformed: the same rows.
        which: as of `chosen`.
        user, item: the columns that name them.
    """
    names = [name for name in transformed.schema.names if name not in NOT_PACKED]
    rows = which.to_numpy()
    return Positives(
        examples.select(user, item, TIME, EXAMPLE_ID, WEIGHT).filter(which),
        {name: matrix(transformed[name])[rows] for name in names},
    )


def in_order_of_time(parts: list[Positives]) -> Positives:
    """All parts together, sorted by (time, example id); at least one part. Empties the parts as it goes."""
    ids = pl.concat([part.ids for part in parts], rechunk=True)
    order = np.lexsort((ids[EXAMPLE_ID].to_numpy(), ids[TIME].to_numpy()))
    packed = {}
    for name in list(parts[0].packed):
        # Column by column, so that only one of them is in memory twice.
        packed[name] = np.concatenate([part.packed.pop(name) for part in parts])[order]
    return Positives(ids[order], packed)
