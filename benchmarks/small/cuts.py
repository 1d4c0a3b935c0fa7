"""Cuts of public data sets: a few thousand rows each, the same on every machine.

A cut keeps whole users, every n-th row or a span of time. It uses no random numbers.
"""

from __future__ import annotations

import polars as pl

SECOND_MS, SESSION_MS, DAY_MS = 1000, 30 * 60_000, 24 * 3_600_000


def users(frame: pl.DataFrame, column: str, one_in: int, rest: int = 0) -> pl.DataFrame:
    """The rows of the users whose number leaves `rest` when divided by `one_in`.

    Args:
        frame: rows of any order, which is kept.
        column: column of whole numbers that names the user.
        one_in: about one user in so many is kept.
        rest: which ones, from 0 to one_in - 1.
    """
    return frame.filter(pl.col(column) % one_in == rest)


def every(frame: pl.DataFrame, rows: int) -> pl.DataFrame:
    """`rows` rows at equal distances, the first row among them; the whole frame if it has fewer than twice as many."""
    return frame.gather_every(max(frame.height // rows, 1)).head(rows)


def until(frame: pl.DataFrame, column: str, share: float) -> pl.DataFrame:
    """The rows in the first `share` of the time from the first row to the last."""
    first, last = frame[column].min(), frame[column].max()
    return frame.filter(pl.col(column) <= first + share * (pl.lit(last) - first))


def news(clicks: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Clicks on news, and what the reader did next.

    Args:
        clicks: user_id, article, time in milliseconds, and columns that are kept.

    Returns:
        click: every click. read_on: for each click followed by another of the reader within half an hour, the key of the
        first, the time of the second and the seconds between them. return: the same, without the seconds, of the first
        click after more than half an hour, within a day.
    """
    chosen = clicks.unique(["user_id", "article", "time"], keep="first", maintain_order=True).sort(
        "user_id", "time", "article"
    )
    following = pl.col("time").shift(-1).over("user_id")
    lag = following - pl.col("time")
    pairs = chosen.select("user_id", "article", lag=lag, time=following).drop_nulls()
    read_on = pairs.filter(pl.col("lag").is_between(1, SESSION_MS))
    return {
        "click": chosen.sort("time", "user_id", "article"),
        "read_on": read_on.select("user_id", "article", "time", seconds=pl.col("lag") / SECOND_MS),
        "return": pairs.filter(pl.col("lag").is_between(SESSION_MS + 1, DAY_MS)).drop("lag"),
    }
