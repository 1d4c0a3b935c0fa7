"""Simulated logs for `wide.yaml`: 3 streams, 40 features, labels that depend on some of them. A chunk at a time.

A chunk is 200,000 impressions, with the clicks and orders that follow from them, and becomes one file of each stream. It
is a pure function of the seed and its number, so the memory does not grow with the logs.

    chance of a click  sigmoid(-3 + 0.8 user + 0.8 item + 0.4 device + 0.3 (4 - hour) / 8 - 0.2 log(price / 20))
    of a late click    2% of what is left;  of an order  12% of the clicks, more of the dearer items
"""

from __future__ import annotations

import functools
import hashlib
import json
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import polars as pl
import typer

RECIPE = Path(__file__).with_name("wide.yaml")
ROWS_PER_FILE = 200_000
ROWS_PER_GROUP = 100_000
START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
DAY_MS = 86_400_000
DAYS = 14
MARKER = "wide_logs.json"
SKEW = 0.05

IDS = {"user_id": 1_000_000, "item_id": 1_000_000}
TEXTS = {
    **{"device": 4, "country": 16, "gender": 2, "os": 5, "browser": 8, "segment": 10, "brand": 5_000},
    **{"category": 200, "subcategory": 2_000, "seller": 50_000, "city": 20_000, "campaign": 500},
    **{"creative": 100_000, "query": 1_000_000, "referrer": 1_000},
}
INTEGERS = {
    **{"hour": 24, "weekday": 7, "slot": 12, "shelf": 50, "zip": 10_000, "store": 100, "color": 20},
    **{"collection": 200_000, "topic": 500_000},
}
LISTS = {"tags": (500, 5), "interests": (2_000, 8), "recent_categories": (200, 10), "words": (50_000, 6)}
"""name: (values, most of one impression)."""
MISSING = {"rating": 0.1, "referrer": 0.3, "query": 0.05, "zip": 0.02}


def write(out: Path, rows: int, seed: int, skew: bool = False) -> float:
    """Writes the logs, or leaves them where the same ones lie already. A folder of other wide logs is replaced.

    Args:
        out: folder.
        rows: impressions.
        seed: the same seed gives the same logs.
        skew: one user has 5% of the impressions.

    Returns:
        Seconds that it took.

    Raises:
        ValueError: the folder holds something else, or there would be no impressions.
    """
    began = time.perf_counter()
    if rows < 1:
        raise ValueError(f"expected at least 1 row, received {rows}")
    wanted = description(rows, seed, skew)
    if _found(out) == wanted:
        return 0.0
    if out.exists() and any(out.iterdir()) and not (out / MARKER).is_file():
        raise ValueError(f"{out} holds something other than wide logs; name another folder with --out")
    shutil.rmtree(out, ignore_errors=True)
    for stream in ("impressions", "clicks", "orders"):
        (out / stream).mkdir(parents=True)
    # Begun and not ended: this folder may be replaced.
    (out / MARKER).write_text("{}", encoding="utf-8")
    # At least four files, so that small logs come in several, too.
    size = min(ROWS_PER_FILE, -(-rows // 4))
    for number, start in enumerate(range(0, rows, size)):
        for stream, frame in chunk(start, min(size, rows - start), rows, seed, number, skew).items():
            frame.write_parquet(out / stream / f"{number:05d}.parquet", row_group_size=ROWS_PER_GROUP)
    (out / MARKER).write_text(json.dumps(wanted), encoding="utf-8")
    return time.perf_counter() - began


def description(rows: int, seed: int, skew: bool) -> dict[str, Any]:
    """What decides the logs' content, this source included."""
    source = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]
    return {"rows": rows, "seed": seed, "skew": skew, "source": source}


def chunk(start: int, rows: int, of: int, seed: int, number: int, skew: bool) -> dict[str, pl.DataFrame]:
    """The rows of one file of each stream.

    Args:
        start: impressions before.
        rows: impressions in it.
        of: impressions of the whole logs: they are evenly spread over the days.
        seed, number: decide everything that is random.
        skew: see `write`.
    """
    random = np.random.default_rng([seed, number])
    moment = START_MS + (np.arange(start, start + rows) * (DAYS * DAY_MS / of)).astype(np.int64)
    ranks = {name: _few(random, values, rows) for name, values in (IDS | TEXTS | INTEGERS).items()}
    # Users are more alike than items: rank 0 has a thousandth.
    ranks["user_id"] = (IDS["user_id"] * random.random(rows) ** 2).astype(np.int64)
    if skew:
        ranks["user_id"][random.random(rows) < SKEW] = 0
    ranks["hour"] = moment // 3_600_000 % 24
    ranks["weekday"] = moment // DAY_MS % 7
    numbers = _numbers(random, rows)
    columns: dict[str, Any] = {"impression_id": np.arange(start, start + rows), "time": moment, **numbers}
    columns |= {name: _spread(ranks[name]) for name in IDS}
    columns |= {name: _texts(name, values).gather(ranks[name]) for name, values in TEXTS.items()}
    columns |= {name: ranks[name] for name in INTEGERS}
    columns |= {name: _lists(random, name, *about, rows) for name, about in LISTS.items()}
    impressions = pl.DataFrame(columns)
    for name, share in MISSING.items():
        gone = pl.Series(random.random(rows) < share)
        impressions = impressions.with_columns(pl.when(gone).then(None).otherwise(pl.col(name)).alias(name))
    return {"impressions": impressions, **_outcomes(random, impressions, ranks, numbers, seed)}


def _outcomes(
    random: np.random.Generator,
    impressions: pl.DataFrame,
    ranks: Mapping[str, np.ndarray],
    numbers: Mapping[str, np.ndarray],
    seed: int,
) -> dict[str, pl.DataFrame]:
    rows = impressions.height
    logit = -3.0 + 0.8 * _effects("user_id", seed)[ranks["user_id"]] + 0.8 * _effects("item_id", seed)[ranks["item_id"]]
    logit += 0.4 * (ranks["device"] == 0) + 0.3 * (4 - ranks["hour"]) / 8 - 0.2 * np.log(numbers["price"] / 20.0)
    clicked = random.random(rows) < 1.0 / (1.0 + np.exp(-logit))
    late = ~clicked & (random.random(rows) < 0.02)
    bought = (clicked | late) & (random.random(rows) < 0.12 * np.clip(numbers["price"] / 20.0, 0.5, 4.0) ** 0.5)
    delay = np.where(late, random.uniform(1_800_001, DAY_MS, rows), random.uniform(1_000, 1_800_000, rows))
    click_time = impressions["time"].to_numpy() + delay.astype(np.int64)
    order_time = click_time + random.uniform(10_000, DAY_MS - 1, rows).astype(np.int64)
    value = numbers["price"] * np.exp(0.3 * random.standard_normal(rows))
    return {
        "clicks": _events(impressions, clicked | late, click_time, "click_id"),
        "orders": _events(impressions, bought, order_time, "order_id", value),
    }


def _events(
    impressions: pl.DataFrame, happened: np.ndarray, moment: np.ndarray, name: str, value: np.ndarray | None = None
) -> pl.DataFrame:
    # What comes after the logs' end has not happened yet.
    rows = np.flatnonzero(happened & (moment < START_MS + DAYS * DAY_MS))
    events = impressions.select(pl.col("impression_id").alias(name), "user_id", "item_id")[rows]
    events = events.with_columns(pl.Series("time", moment[rows]))
    return events if value is None else events.with_columns(pl.Series("order_value", value[rows]))


def _few(random: np.random.Generator, values: int, rows: int) -> np.ndarray:
    """(rows,) ranks below `values`, each with a chance like 1 / (10 + rank): Zipf's law with a flattened head."""
    return (10.0 * np.expm1(random.random(rows) * np.log1p(values / 10.0))).astype(np.int64).clip(0, values - 1)


def _spread(ranks: np.ndarray) -> np.ndarray:
    """Ids that do not show their ranks: distinct numbers below 2^40, as the factor is odd."""
    return ranks * 0x9E3779B97 % (1 << 40)


def _numbers(random: np.random.Generator, rows: int) -> dict[str, np.ndarray]:
    # Rounded, as prices and rates in logs are.
    return {
        "price": np.round(random.lognormal(3.0, 1.0, rows), 2) + 0.01,
        "rating": np.round(random.normal(3.5, 0.8, rows).clip(1, 5), 1),
        "item_age": np.round(random.exponential(200.0, rows), 3),
        "session_length": np.round(random.exponential(300.0, rows), 3),
        "distance": np.round(random.random(rows) * 50.0, 3),
        "user_age": np.round(random.normal(40.0, 12.0, rows).clip(14, 90), 1),
        "position": random.integers(1, 100, rows) + 0.5,
        "discount": np.round(random.beta(1.0, 5.0, rows), 3),
        "stock": np.round(random.lognormal(4.0, 1.5, rows), 1),
        "recent_rate": np.round(random.beta(2.0, 30.0, rows), 5),
    }


def _lists(random: np.random.Generator, name: str, values: int, most: int, rows: int) -> pl.Series:
    """Texts such as "tags-3|tags-17"; some are empty, which is missing."""
    lengths = random.integers(0, most + 1, rows)
    words = _texts(name, values).gather(_few(random, values, int(lengths.sum())))
    rows_of = np.repeat(np.arange(rows), lengths)
    joined = pl.DataFrame({"row": rows_of, "word": words}).group_by("row", maintain_order=True).agg("word")
    found = joined.select("row", pl.col("word").list.join("|"))
    return pl.DataFrame({"row": np.arange(rows)}).join(found, on="row", how="left", maintain_order="left")["word"]


@functools.cache
def _texts(name: str, values: int) -> pl.Series:
    return pl.select(pl.format(f"{name}-{{}}", pl.int_range(values))).to_series()


@functools.cache
def _effects(name: str, seed: int) -> np.ndarray:
    return np.random.default_rng([seed, 1_000_000_007, len(name)]).standard_normal(IDS[name])


def _found(out: Path) -> Any:
    marker = out / MARKER
    return json.loads(marker.read_text(encoding="utf-8")) if marker.is_file() else None


def main(
    rows: Annotated[int, typer.Option(help="Impressions.")] = 1_000_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same logs.")] = 7,
    skew: Annotated[bool, typer.Option("--skew", help="Give one user 5% of the impressions.")] = False,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where to write.")] = Path("runs/wide-logs"),
) -> None:
    """Write simulated wide logs for benchmarks/wide.yaml."""
    seconds = write(out, rows, seed, skew)
    typer.echo(f"{out}: {rows:,} impressions in {seconds:.1f} s" if seconds else f"{out}: there already")


if __name__ == "__main__":
    typer.run(main)
