"""One night of one vocabulary: which ids get a row, and which lose theirs. Pure, over Polars tables.

    ids of the ancestor + what the night saw -> ids of the night

An id keeps its row as long as it has one. New ids take the free rows, then the rows of victims.
"""

from __future__ import annotations

import dataclasses

import polars as pl

from models.features.ids import WAITING


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rules:
    """How ids come and go.

    Attributes:
        capacity: rows of the table for ids; also the most ids that wait.
        least: the smallest count for a row.
        decay: factor of the counts from the ancestor's day to this one, 2^(-days / half-life).
        forgotten: ids last seen before this moment are forgotten; None: none is.
    """

    capacity: int
    least: float
    decay: float = 1.0
    forgotten: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Turnover:
    """The ids that kept their rows, got one, lost theirs, and wait for one."""

    kept: int
    admitted: int
    evicted: int
    waiting: int


def turn_over(old: pl.DataFrame, seen: pl.DataFrame, rules: Rules) -> tuple[pl.DataFrame, Turnover]:
    """The ids of the night.

    The count of an id is its old count times `decay` plus what the night saw. Ids without a row whose count is at least `least`
    are candidates, the largest counts first, equal ones by value. They take the free rows in order, then the rows of victims:
    forgotten ids, the longest unseen first, whatever their counts; then the ids with the smallest counts, each only for a candidate
    with a larger count. Of equal counts, ids that the night did not see are victims first, then the longest unseen, then the largest
    value. A forgotten id is no candidate, and without a row leaves the ledger. Of the other ids without a row, the `capacity` largest
    counts stay.

    Args:
        old: value, row, first, last, count of each id; the rows of those with a row are 0, 1, ..., without holes.
        seen: value, first, last, new of each value of the night; `new` is a count of at least 1.
        rules: the rules.

    Returns:
        Columns as of `old`, in the order of the rows, then the waiting ids by value; and what happened.
    """
    ids = _together(old, seen, rules)
    live, waiting = ids.filter(pl.col("row") >= 0).sort("row"), ids.filter(pl.col("row") < 0)
    candidates = waiting.filter((pl.col("count") >= rules.least) & ~pl.col("forgotten")).sort(*_BEST)
    free = rules.capacity - live.height
    fits = candidates.head(free).drop("row").with_row_index("row", offset=live.height)
    victims = live.sort(*_VICTIMS[0], descending=_VICTIMS[1])
    rest, victims = candidates.slice(free).head(live.height), victims.head(max(candidates.height - free, 0))
    # Forgotten ids come first, then rising counts against falling ones: once a victim stays, all later ones do.
    goes = victims.get_column("forgotten") | (rest.get_column("count") > victims.get_column("count"))
    gone = victims.head(int(goes.sum()))
    replaced = rest.head(gone.height).with_columns(gone.get_column("row"))
    admitted = pl.concat([fits.select(_COLUMNS).cast({"row": pl.Int64}), replaced.select(_COLUMNS)])
    rows = pl.concat([live.join(gone, on="value", how="anti").select(_COLUMNS), admitted]).sort("row")
    left = pl.concat(
        [
            waiting.join(admitted, on="value", how="anti"),
            gone.with_columns(pl.lit(WAITING, pl.Int64).alias("row")).select(waiting.columns),
        ]
    )
    left = left.filter(~pl.col("forgotten")).sort(*_BEST).head(rules.capacity).sort("value").select(_COLUMNS)
    had = old.filter(pl.col("row") >= 0)
    kept = rows.join(had, on=["value", "row"], how="semi").height
    happened = Turnover(kept=kept, admitted=rows.height - kept, evicted=had.height - kept, waiting=left.height)
    return pl.concat([rows, left]), happened


_COLUMNS = ["value", "row", "first", "last", "count"]
_BEST = (-pl.col("count"), pl.col("value"))
_VICTIMS = (
    [
        pl.col("forgotten"),
        pl.when(pl.col("forgotten")).then(pl.col("last")).otherwise(0),
        pl.col("count"),
        pl.col("seen"),
        pl.col("last"),
        pl.col("value"),
    ],
    [True, False, False, False, False, True],
)


def _together(old: pl.DataFrame, seen: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """All ids, with their counts of the night, and whether it saw them."""
    joined = old.join(seen, on="value", how="full", coalesce=True, suffix="_new")
    return joined.select(
        "value",
        # A recipe may have made the table smaller.
        pl.when(pl.col("row") < rules.capacity).then(pl.col("row")).otherwise(WAITING).fill_null(WAITING).alias("row"),
        pl.min_horizontal("first", "first_new").alias("first"),
        pl.max_horizontal("last", "last_new").alias("last"),
        (pl.col("count").fill_null(0.0) * rules.decay + pl.col("new").fill_null(0)).alias("count"),
        pl.col("new").is_not_null().alias("seen"),
    ).with_columns(
        pl.lit(False).alias("forgotten")
        if rules.forgotten is None
        else (pl.col("last") < rules.forgotten).alias("forgotten")
    )
