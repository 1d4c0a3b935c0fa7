"""One side of the packed columns: what the user's tower reads, or the item's."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

import tensorflow as tf

from models.features.layout import FeatureLayout, part_of
from models.retrieval.plan import HISTORY


@dataclasses.dataclass(frozen=True)
class Side:
    """Which columns of the whole packing one tower reads.

    Attributes:
        layout: the layout of what it reads; its tables have their width in the tower.
        categorical, numeric: places of its columns among the whole packing's.
        history: (embedding table, length) of the list of items that the tower reads too, or None.
    """

    layout: FeatureLayout
    categorical: tuple[int, ...]
    numeric: tuple[int, ...]
    history: tuple[str, int] | None = None

    def select(self, packed: Mapping[str, Any]) -> dict[str, Any]:
        """The tower's inputs out of the whole packing; what is empty is absent.

        Args:
            packed: {"categorical": (row, C), "numeric", "multivalued/<feature>", "history": (row, length)}.
        """
        chosen = {}
        if self.categorical:
            chosen["categorical"] = tf.gather(packed["categorical"], self.categorical, axis=1)
        if self.numeric:
            chosen["numeric"] = tf.gather(packed["numeric"], self.numeric, axis=1)
        for name in self.layout.multivalued:
            chosen[f"multivalued/{name}"] = packed[f"multivalued/{name}"]
        if self.history is not None:
            chosen[f"multivalued/{HISTORY}"] = packed[HISTORY]
        return chosen


def side_of(
    layout: FeatureLayout,
    features: Collection[str],
    wide_tables: Collection[str],
    dim: int,
    history: tuple[str, int] | None = None,
) -> Side:
    """The side with these features.

    Args:
        layout: of all features.
        features: of the side.
        wide_tables: tables that are `dim` wide in a tower.
        dim: their width.
        history: feature whose ids the history holds, and the history's length; None without one.
    """
    part = part_of(layout, features)
    of_history = None
    if history is not None:
        of_history = dict(layout.categorical)[history[0]], history[1]
    used = {table for _, table in part.categorical} | {table for table, _, _ in part.multivalued.values()}
    used |= {of_history[0]} if of_history else set()
    tables = {
        name: (rows, dim if name in wide_tables else width)
        for name, (rows, width) in layout.tables.items()
        if name in used
    }
    return Side(
        dataclasses.replace(part, tables=tables),
        tuple(layout.categorical.index(entry) for entry in part.categorical),
        tuple(layout.numeric.index(name) for name in part.numeric),
        of_history,
    )
