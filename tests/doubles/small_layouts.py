"""Small logs in the layouts of public and common logs, for `gatewise init`. Each has a truth that the recipe must find."""

from __future__ import annotations

import datetime
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

START = 1_767_225_600  # 2026-01-01T00:00:00Z
DAY = 86_400


def shown(rows: int = 4000, days: int = 10, users: int = 150, items: int = 80, seed: int = 1) -> pl.DataFrame:
    """Impressions: user, item, at (epoch seconds), and columns whose side is known."""
    rng = np.random.default_rng(seed)
    user, item = rng.integers(0, users, rows), rng.integers(0, items, rows)
    return pl.DataFrame(
        {
            "user": user + 10_000,
            "item": item + 500,
            "at": np.sort(rng.integers(START, START + days * DAY, rows)),
            "country": np.array(["AT", "DE", "CH"])[user % 3],
            "price": np.round(np.exp(item % 17 / 3.0), 2),
            "device": np.array(["phone", "desktop"])[rng.integers(0, 2, rows)],
        }
    )


def outcomes(impressions: pl.DataFrame, rate: float, longest: int, seed: int) -> pl.DataFrame:
    """Outcomes of a share of the impressions after 1 to `longest` seconds, uniform."""
    rng = np.random.default_rng(seed)
    chosen = impressions.filter(pl.Series(rng.random(impressions.height) < rate))
    return chosen.select(
        "user", "item", (pl.col("at") + pl.Series(rng.integers(1, longest + 1, chosen.height))).alias("at")
    )


def mixed(kinds: dict[str, pl.DataFrame], column: str) -> pl.DataFrame:
    """All events in one table, by time."""
    return pl.concat(
        [part.with_columns(pl.lit(kind).alias(column)) for kind, part in kinds.items()], how="diagonal"
    ).sort("at")


def deskdrop(folder: Path) -> None:
    """One Parquet file of mixed events, signed 64-bit ids, epoch seconds."""
    views = shown()
    table = mixed(
        {"VIEW": views, "LIKE": outcomes(views, 0.2, 3000, 2), "COMMENT CREATED": outcomes(views, 0.1, 3000, 3)},
        "eventType",
    )
    table = table.select(
        pl.col("at").alias("timestamp"),
        "eventType",
        (pl.col("item") * -(10**16) - 1).alias("contentId"),
        (pl.col("user") * 10**14 + 3).alias("personId"),
        pl.col("country").alias("userCountry"),
    )
    folder.mkdir(parents=True)
    table.write_parquet(folder / "interactions.parquet")


def taobao(folder: Path) -> None:
    """One file of mixed events with integers only; most purchases have no cart before them."""
    carts = shown(rows=6000)
    buys = pl.concat([outcomes(carts, 0.15, DAY, 4), outcomes(shown(rows=9000, items=4000, seed=9), 0.9, DAY, 5)])
    table = mixed({"cart": carts, "buy": buys.filter(pl.col("at") < START + 10 * DAY)}, "behavior")
    folder.mkdir(parents=True)
    table.select("user", "item", "behavior", pl.col("at").alias("timestamp")).write_parquet(
        folder / "fav_cart_buy.parquet"
    )


def globo(folder: Path) -> None:
    """Clicks of news as impressions with codes, and what followed in files of its own; milliseconds."""
    clicks = shown().with_columns((pl.col("user") % 7).alias("region"))
    after = outcomes(clicks, 0.3, 1700, 6)
    folder.mkdir(parents=True)
    for name, part in (("clicks", clicks.select("user", "item", "at", "region")), ("read_on", after)):
        part = part.with_columns(pl.col("at") * 1000).rename({"user": "user_id", "item": "article", "at": "time"})
        part.write_parquet(folder / f"{name}.parquet")


def census(folder: Path) -> None:
    """Labelled rows without a time, in a train and a test file, with a copy of the label in other words."""
    rng = np.random.default_rng(7)
    folder.mkdir(parents=True)
    for name, rows in (("census_train", 3000), ("census_test", 1000)):
        age, weeks = rng.integers(16, 90, rows), rng.integers(0, 53, rows)
        rich = rng.random(rows) < 0.02 + 0.2 * (age > 40) * (weeks > 30)
        pl.DataFrame(
            {
                "age": age,
                "education": np.array(["none", "school", "college"])[rng.integers(0, 3, rows)],
                "occupation_code": rng.integers(0, 47, rows),
                "weeks_worked_in_year": weeks,
                "tax_band": np.where(rich, "upper", "lower"),
                "instance_weight": rng.random(rows),
                "income": np.where(rich, "50000+.", "- 50000."),
            }
        ).write_parquet(folder / f"{name}.parquet")


def hive(folder: Path) -> None:
    """Hive days of CSV, ISO times with an offset, names of the columns that differ between the streams."""
    views = shown()
    orders = outcomes(views, 0.15, 10 * 3600, 8).with_columns(pl.lit(19.5).alias("order_value"))
    orders = orders.with_columns((pl.col("order_value") + pl.col("item") % 11).alias("order_value"))
    names = {"product_views": ("user_id", "product_id"), "orders": ("customer_id", "sku")}
    for stream, table in (("product_views", views), ("orders", orders)):
        table = table.rename(dict(zip(("user", "item"), names[stream], strict=True)))
        for day in range(11):
            part = table.filter(pl.col("at") // DAY == START // DAY + day)
            if part.height:
                date = datetime.date(2026, 1, 1) + datetime.timedelta(days=day)
                at = pl.from_epoch("at").dt.strftime("%Y-%m-%dT%H:%M:%S+00:00").alias("event_time")
                where = folder / stream / f"dt={date}"
                where.mkdir(parents=True)
                part.with_columns(at).drop("at").write_csv(where / "part-0000.csv")


def json_events(folder: Path) -> None:
    """JSON Lines with one file of mixed events, lists, and a column that only outcomes have."""
    views = shown().with_columns((pl.col("item") % 3 + 1).alias("tags"))
    events = [("impression", row) for row in views.iter_rows(named=True)]
    events += [("click", row) for row in outcomes(views, 0.25, 500, 10).iter_rows(named=True)]
    events.sort(key=lambda event: event[1]["at"])
    folder.mkdir(parents=True)
    with open(folder / "events.jsonl", "w", encoding="utf-8") as file:
        for kind, row in events:
            record: dict[str, Any] = {
                "event_type": kind,
                "ts": row["at"] * 10**6,
                "userId": f"u{row['user']}",
                "itemId": f"i{row['item']}",
            }
            if kind == "impression":
                record |= {"tags": [f"t{n}" for n in range(row["tags"])], "price": row["price"], "clicked": 0}
            file.write(json.dumps(record) + "\n")


def epoch_csv(folder: Path) -> None:
    """CSV with semicolons, epoch seconds, texts with several values, nulls and one file for each stream."""
    views = shown().with_columns(
        pl.concat_str(
            [pl.lit("a"), (pl.col("item") % 5).cast(pl.String), pl.lit("|b"), (pl.col("item") % 3).cast(pl.String)]
        ).alias("genres"),
        pl.when(pl.col("item") % 10 == 0).then(pl.lit("NA")).otherwise(pl.col("price").cast(pl.String)).alias("price"),
    )
    folder.mkdir(parents=True)
    for name, table in (("impressions", views), ("clicks", outcomes(views, 0.2, 800, 11))):
        table.rename({"user": "user_id", "item": "item_id"}).write_csv(folder / f"{name}.csv", separator=";")


def labelled_days(folder: Path) -> None:
    """Gzipped CSV of labelled impressions, one file for each day, times without an offset."""
    rng = np.random.default_rng(12)
    views = shown().with_columns(
        (pl.col("item") % 2 == 0).alias("in_stock"),
        pl.Series("clicked", rng.integers(0, 5, 4000) == 0).cast(pl.Int64),
        pl.Series("liked", rng.integers(0, 20, 4000) == 0).cast(pl.Int64),
        pl.Series("dwell_seconds", rng.random(4000)),
    )
    folder.mkdir(parents=True)
    for (day,), part in views.group_by(pl.col("at") // DAY - START // DAY + 1, maintain_order=True):
        at = pl.from_epoch("at").dt.strftime("%Y-%m-%d %H:%M:%S").alias("at")
        content = part.with_columns(at).write_csv().encode()
        (folder / f"log_2026-01-{day:02}.csv.gz").write_bytes(gzip.compress(content, mtime=0))


LAYOUTS = {f.__name__: f for f in (deskdrop, taobao, globo, census, hive, json_events, epoch_csv, labelled_days)}
