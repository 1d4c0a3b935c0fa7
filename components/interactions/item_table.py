"""The item table: every item with its latest features, and how often it was shown and chosen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from components.event_logs.events import TIME
from components.event_logs.writing import EXAMPLE_ID
from components.interactions.positives import KNOWN, WEIGHT
from components.interactions.prior import PRIORS
from models.retrieval.plan import PRIOR_COLUMN

LAST_SEEN, IMPRESSIONS, POSITIVES = (f"gatewise/{name}" for name in ("last_seen", "impressions", "positives"))
_MERGE_ROWS = 1 << 20


def window_columns(window: int) -> tuple[str, str]:
    """The columns of `ItemRows` with impressions of known outcome and positives of the window of that number."""
    return f"gatewise/impressions/{window}", f"gatewise/positives/{window}"


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
