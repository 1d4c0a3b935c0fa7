"""Real logs: the accounts against plain counts of the same files, and the facts known of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl

from components.event_logs.plan import EventLogsPlan
from components.example_schema import SPLITS
from models.recipe.recipe import Recipe

Run = Callable[..., SimpleNamespace]


def recipe(
    folder: Path, file: str, column: str, key: list[str], outcomes: dict[str, str], seen: str, **changes: Any
) -> Recipe:
    streams = {
        name: {"path": file, "where": {column: [value]}, "key": key, "time": {"column": "timestamp", "unit": "s"}}
        for name, value in ({"seen": seen} | outcomes).items()
    }
    fields: dict[str, Any] = {
        "name": "real",
        "data": str(folder),
        "logs": {"impressions": "seen", "streams": streams, "limits": {"orphans": 1.0}},
        "split": {"eval_fraction": 0.2},
        "features": {name: {"kind": "categorical"} for name in key},
        "tasks": {name: {"kind": "binary", "outcome": name, "window": "9d"} for name in outcomes},
    }
    return Recipe.model_validate(fields | changes)


def credited_outcomes(seen: pl.DataFrame, done: pl.DataFrame, key: list[str], window: int) -> tuple[int, int, int]:
    """(used, late, orphan) by a full join: the lag to the latest impression at or before each outcome."""
    pairs = done.with_row_index("outcome").join(seen.select(*key, pl.col("timestamp").alias("at")), on=key)
    lags = (
        pairs.filter(pl.col("at") <= pl.col("timestamp"))
        .group_by("outcome")
        .agg((pl.col("timestamp") - pl.col("at")).min().alias("lag"))["lag"]
    )
    used = int((lags <= window).sum())
    return used, len(lags) - used, done.height - len(lags)


def test_deskdrop(shared_data: Path, run_stage: Run) -> None:
    file, key = "deskdrop_interactions.parquet", ["personId", "contentId"]
    outcomes = {"like": "LIKE", "bookmark": "BOOKMARK", "comment": "COMMENT CREATED", "follow": "FOLLOW"}
    out = run_stage(recipe(shared_data, file, "eventType", key, outcomes, "VIEW"))
    log = pl.read_parquet(shared_data / file)
    seen = log.filter(eventType="VIEW").unique()
    account = out.accounts["seen"]
    assert (account["read"], account["used"], account["other"]) == (61_086, seen.height, 72_312 - 61_086)
    for name, value in outcomes.items():
        done = log.filter(eventType=value)
        used, late, orphan = credited_outcomes(seen, done.unique(), key, 9 * 86_400)
        account = out.accounts[name]
        assert (account["read"], account["duplicate"]) == (done.height, done.height - done.unique().height)
        assert (account["used"], account["late"], account["orphan"]) == (used, late, orphan)
    # Of every outcome at most one view is positive, and a liked (person, content) pair has one positive view or more.
    positives = sum(out.summary["tasks"]["like"][split]["positives"] for split in SPLITS)
    assert 0 < positives <= out.accounts["like"]["used"]


def test_taobao_cart_to_buy(shared_data: Path, run_stage: Run) -> None:
    file, key = "taobao_fav_cart_buy.parquet", ["user", "item"]
    made = recipe(shared_data, file, "behavior", key, {"buy": "buy"}, "cart")
    # By `latest` every window of nine days would still be open: the log is as long as the window.
    out = run_stage(EventLogsPlan.from_recipe(made).model_copy(update={"as_of": 1_513_900_800_000_000}))
    assert out.accounts["seen"]["used"] == 140_068
    assert out.accounts["buy"]["read"] == 167_862
    assert out.accounts["buy"]["used"] + out.accounts["buy"]["late"] == 25_614
    assert out.accounts["buy"]["late"] == 0
    assert sum(out.summary["tasks"]["buy"][split]["positives"] for split in SPLITS) == 25_614


def test_the_taobao_slice_is_too_short_to_close_its_windows(shared_data: Path, run_stage: Run) -> None:
    file, key = "taobao_userbehavior_slice.parquet", ["user_id", "item_id"]
    tasks = {"buy": {"kind": "binary", "outcome": "buy", "window": "30m", "unmeasured": "allow"}}
    out = run_stage(recipe(shared_data, file, "behavior", key, {"buy": "buy"}, "pv", tasks=tasks))
    log = pl.read_parquet(shared_data / file)
    seen, done = log.filter(behavior="pv").unique(), log.filter(behavior="buy").unique()
    account = out.accounts["buy"]
    assert (account["used"], account["late"], account["orphan"]) == credited_outcomes(seen, done, key, 1800)
    as_of = min(seen["timestamp"].max(), done["timestamp"].max())
    open_windows = seen.filter(pl.col("timestamp") + 1800 > as_of).height
    tasks_ = out.summary["tasks"]["buy"]
    assert sum(tasks_[split]["observed"] for split in SPLITS) == seen.height - open_windows
