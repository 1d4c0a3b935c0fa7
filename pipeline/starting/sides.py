"""Whether a column describes the user, the item or the context: measured by what determines its values."""

from __future__ import annotations

from typing import Literal

import polars as pl

Side = Literal["user", "item", "context"]
_DETERMINED, _NEARLY, _BY_CHANCE = 0.98, 0.9, 0.9
_SEED = 7


def determined(frame: pl.DataFrame, column: str, by: str) -> float:
    """Share of the rows that agree with the most frequent value of their group, among groups of two or more rows.

    1 if the column is a function of `by`. A missing value is a value. 0 if no group has two rows.
    """
    counts = frame.select(
        pl.col(by).alias("by"), pl.col(column).cast(pl.String).fill_null("\0").alias("value")
    ).drop_nulls("by")
    groups = (
        counts.group_by("by", "value").len().group_by("by").agg(pl.col("len").sum().alias("rows"), pl.col("len").max())
    )
    groups = groups.filter(pl.col("rows") > 1)
    rows, agreeing = groups.select(pl.col("rows").sum(), pl.col("len").sum()).row(0)
    return agreeing / rows if rows else 0.0


def side_of(frame: pl.DataFrame, column: str, user: str | None, item: str | None) -> tuple[Side, str, str]:
    """(side, what was measured, alternatives or "").

    `user` if the user determines at least 98 % of the values, and less than 90 % of shuffled ones, as those of a column that has one
    value nearly everywhere; `item` likewise. The key that determines more wins.
    """
    if frame[column].dtype.is_nested():
        frame = frame.with_columns(pl.col(column).list.eval(pl.element().cast(pl.String)).list.join("\0"))
    if column in (user, item):
        return ("user" if column == user else "item"), "its id", ""
    shares = {side: determined(frame, column, by) for side, by in (("user", user), ("item", item)) if by is not None}
    if not shares:
        return "context", "", ""
    best = max(shares, key=lambda side: shares[side])
    share, by = shares[best], user if best == "user" else item
    said = f"one value per {by} in {share:.1%} of the rows"
    if share < _NEARLY:
        return "context", "", ""
    shuffled = frame.select(pl.col(by), pl.col(column).shuffle(seed=_SEED)) if by else frame
    by_chance = determined(shuffled, column, str(by))
    if share >= _DETERMINED and by_chance < _BY_CHANCE:
        return ("user" if best == "user" else "item"), said, ""
    if by_chance >= min(_BY_CHANCE, share - 0.02):
        return "context", "", ""
    return "context", "", f"{said}. Alternative: side: {best}"
