"""The item table: every item with its latest features, its impressions and positives, and the prior of its score."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from components.example_schema import EXAMPLE_ID, TIME
from components.interactions.positives import KNOWN, WEIGHT
from models.recipe.checks.served_names import OWN
from models.retrieval.plan import PRIOR_COLUMN

LAST_SEEN, IMPRESSIONS, POSITIVES = (f"{OWN}{name}" for name in ("last_seen", "impressions", "positives"))
_MERGE_ROWS = 1 << 20

PSEUDO_IMPRESSIONS = 20.0
"""Impressions at the mean rate that every item is taken to have had besides its own."""

Counts = NDArray[np.int64]


def window_columns(window: int) -> tuple[str, str]:
    """The columns of `ItemRows` with impressions of known outcome and positives of the window of that number."""
    return f"{IMPRESSIONS}/{window}", f"{POSITIVES}/{window}"


class ItemRows:
    """One row for each item of the examples that were added, in any order and any division.

    Args:
        item: the column that names the items.
        since: moments (microseconds) from which on impressions and positives are counted once more, each for itself.
    """

    def __init__(self, item: str, since: Sequence[int] = ()) -> None:
        self._item, self._since = item, since
        self._rows: list[pl.DataFrame] = []
        self._merged = 0

    def add(self, examples: pl.DataFrame) -> None:
        """Adds examples.

        Args:
            examples: the item's column, TIME, EXAMPLE_ID, WEIGHT (above 0: a positive), KNOWN (false: no impression of a
                window), and the raw columns of items. Rows without an item are left out.
        """
        positive = pl.col(WEIGHT) > 0
        windows = [
            column
            for number, since in enumerate(self._since)
            for column in (
                ((pl.col(TIME) >= since) & pl.col(KNOWN)).cast(pl.Int64).alias(window_columns(number)[0]),
                ((pl.col(TIME) >= since) & positive).cast(pl.Int64).alias(window_columns(number)[1]),
            )
        ]
        counted = examples.filter(pl.col(self._item).is_not_null()).with_columns(
            pl.lit(1, pl.Int64).alias(IMPRESSIONS), positive.cast(pl.Int64).alias(POSITIVES), *windows
        )
        self._rows.append(self._merge(counted.drop(WEIGHT, KNOWN)))
        # Not each time: items are as many as examples, in the worst case.
        if sum(rows.height for rows in self._rows[1:]) > max(_MERGE_ROWS, self._rows[0].height):
            self._rows = [self._merge(pl.concat(self._rows))]

    def rows(self) -> pl.DataFrame:
        """The items by rising id: raw columns and TIME of the latest example (of equal times, the larger id), IMPRESSIONS,
        POSITIVES, and the columns of each window. At least one `add` came before.
        """
        self._rows = [self._merge(pl.concat(self._rows))]
        return self._rows[0].sort(self._item).drop(EXAMPLE_ID)

    def _merge(self, rows: pl.DataFrame) -> pl.DataFrame:
        sums = [
            IMPRESSIONS,
            POSITIVES,
            *(name for number in range(len(self._since)) for name in window_columns(number)),
        ]
        latest = (
            rows.select(self._item, TIME, EXAMPLE_ID)
            .with_row_index("row")
            .sort(TIME, EXAMPLE_ID)
            .unique(self._item, keep="last")["row"]
        )
        counts = rows.group_by(self._item).agg(pl.col(sums).sum())
        return rows[latest].drop(sums).join(counts, on=self._item)


def item_table(
    rows: pl.DataFrame,
    item: str,
    *,
    window: int,
    oldest: int | None,
    prior: str | None,
) -> pl.DataFrame:
    """The table that models and evaluations read.

    Args:
        rows: as of `ItemRows.rows`.
        item: the column that names the items.
        window: which of the windows the prior counts in.
        oldest: items without an example since that moment (microseconds) are dropped; None: none is.
        prior: row of PRIORS, over the items of the table; None: 0.

    Returns:
        By rising id: the item's column, its raw columns, LAST_SEEN, IMPRESSIONS, POSITIVES, PRIOR_COLUMN.
    """
    kept = rows.rename({TIME: LAST_SEEN})
    there = np.ones(kept.height, bool) if oldest is None else kept[LAST_SEEN].to_numpy() >= oldest
    kept = kept.filter(pl.Series(there))
    added = np.zeros(kept.height, np.float32)
    if prior is not None:
        impressions, positives = (kept[name].to_numpy() for name in window_columns(window))
        added = PRIORS[prior](impressions, positives)
    ours = [LAST_SEEN, IMPRESSIONS, POSITIVES]
    counted = [name for name in kept.columns if name.startswith((f"{IMPRESSIONS}/", f"{POSITIVES}/"))]
    raw = [name for name in kept.columns if name not in (item, *ours, *counted)]
    return kept.select(item, *raw, *ours).with_columns(pl.Series(PRIOR_COLUMN, added.astype(np.float32)))


def popularity(impressions: Counts, positives: Counts) -> NDArray[np.float32]:
    """prior[i] = ln((p[i] + 0.5) / (P + 0.5 n)): the item's share of the positives, each of the n items with half a one more.

    Args:
        impressions: (item,) in the window; not used.
        positives: (item,) p in the window; P is their sum.
    """
    return np.log((positives + 0.5) / (positives.sum() + 0.5 * len(positives))).astype(np.float32)


def rate(impressions: Counts, positives: Counts) -> NDArray[np.float32]:
    """prior[i] = ln((p[i] + m r) / (imp[i] + m)), r = P / IMP, m = PSEUDO_IMPRESSIONS: drawn towards the mean rate r.

    Without a positive in the window nothing tells the items apart: 0 for all.

    Args:
        impressions: (item,) imp in the window; IMP is their sum.
        positives: (item,) p in the window; P is their sum.
    """
    if not positives.sum():
        return np.zeros(len(positives), np.float32)
    mean = positives.sum() / impressions.sum()
    found = (positives + PSEUDO_IMPRESSIONS * mean) / (impressions + PSEUDO_IMPRESSIONS)
    return np.log(found).astype(np.float32)


PRIORS: dict[str, Callable[[Counts, Counts], NDArray[np.float32]]] = {"popularity": popularity, "rate": rate}
"""`models.recipe.retrieval.Prior.kind` -> (impressions, positives in the window) -> (item,)."""
