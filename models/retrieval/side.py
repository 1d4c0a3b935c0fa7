"""One side of the packed columns: the inputs of the user tower or of the item tower."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

import tensorflow as tf

from models.features.layout import FeatureLayout, part_of
from models.retrieval.plan import HISTORY


@dataclasses.dataclass(frozen=True)
class Side:
    """The packed columns that one tower reads.

    Attributes:
        layout: layout of these columns, with the table widths of the tower.
        categorical, numeric: positions of the columns in the packed matrices.
        history: (embedding table, length) of the history that the tower reads, or None.
    """

    layout: FeatureLayout
    categorical: tuple[int, ...]
    numeric: tuple[int, ...]
    history: tuple[str, int] | None = None

    def select(self, packed: Mapping[str, Any]) -> dict[str, Any]:
        """Selects the inputs of the tower from all packed columns, without empty ones.

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
    """Makes the side with the given features.

    Args:
        layout: layout of all features.
        features: features of the side.
        wide_tables: tables that have width `dim` in the tower.
        dim: width of these tables.
        history: feature that encodes the history, and its length; None without a history.
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
