"""Simulates the logs of a shop with known true probabilities: impressions, clicks, dwell times, carts and orders.

`simulate_shop` draws the impressions, `simulate_truth` computes the true probabilities, `simulate_events` draws the outcomes,
`simulate_dirt` adds the defects of real logs, and `simulate_best_items` finds the truly best items of some users. This module
writes one Parquet file per stream and day.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.recipe.errors import InputError
from pipeline import simulate_dirt as dirty
from pipeline import simulate_shop as shop
from pipeline.simulate_affinity import Shop
from pipeline.simulate_best_items import best_items
from pipeline.simulate_events import WINDOWS_MS, Events, outcomes
from pipeline.simulate_shop import DAY_MS, START, Array, Traffic
from pipeline.simulate_truth import Truth

DIRT = "dirt.json"
"""File with the counts of planted rows. It is written last, and marks a folder of simulated logs, which may be replaced."""

_IDS = {
    "impressions": "impression_id",
    "clicks": "click_id",
    "dwell": "dwell_id",
    "carts": "cart_id",
    "orders": "order_id",
}
STREAMS = tuple(_IDS)
"""Folders of event logs. truth/ and, if wanted, BEST_ITEMS are written in addition."""
BEST_ITEMS = "best_items"
_NUMBERS = {"dwell": "dwell_seconds", "orders": "order_value"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class SimulationSummary:
    """Summary of the written logs.

    Attributes:
        out: the folder.
        rows: stream -> rows, including dirt.
        planted: stream -> {"clean", "duplicate", "orphan", "late", "malformed"} -> rows.
        as_of: end of the logs, for the recipe's `logs.as_of`.
        seconds: duration of the simulation.
    """

    out: Path
    rows: dict[str, int]
    planted: dict[str, dict[str, int]]
    as_of: str
    seconds: float


def simulate(
    out: str | Path,
    impressions: int,
    seed: int,
    conflict: float = 0.0,
    dirt: float = 0.01,
    days: int = 14,
    score: Callable[[Truth], Array] | None = None,
    hidden: float = 0.0,
) -> SimulationSummary:
    """Writes the logs. The same arguments give the same bytes.

    In addition to the streams' folders, `truth/` has each impression's true probabilities, and `dirt.json` the counts of
    planted rows. Events after the last day are not written, because they have not happened yet.

    Args:
        out: output folder. Simulated logs in it are replaced.
        impressions: number of impressions, without dirt.
        seed: the same seed gives the same logs.
        conflict: 0: the causes of a click also cause an order; 1: they prevent it.
        dirt: rows planted of each kind (duplicate, orphan, late, malformed), as a share of the stream's clean rows.
        days: length of the log, from 2026-01-01 on.
        score: maps true probabilities to the value of an item, see `true_score`. If set, `best_items/` has the items of the
            largest value for a sample of users. The other files do not depend on it.
        hidden: how much something that no logged column shows causes both clicks and orders. 0: nothing; 1: strongly. The
            clicked impressions are then those with more orders than the same impressions would have if all were clicked.

    Raises:
        InputError: an argument is out of range, or the folder has other content.
    """
    started = time.perf_counter()
    out = Path(out)
    _check(out, impressions, seed, conflict, dirt, days, hidden)
    world = Shop(impressions, seed, conflict, days, hidden)
    shown, chances = world.logged, world.truth
    start = shop.START_MS
    end = start + days * DAY_MS
    events = {
        stream: {name: values[columns["time"] < end] for name, values in columns.items()}
        for stream, columns in outcomes(shown, chances, seed).items()
    }
    temporary = out.with_name(f".{out.name}.part")
    shutil.rmtree(temporary, ignore_errors=True)
    rows, planted = {}, {}
    for number, stream in enumerate(_IDS):
        rng = shop.random(seed, 10 + number)
        table, day, planted[stream] = _stream(rng, stream, shown, events, dirt, days, start, end)
        rows[stream] = table.num_rows
        _write(temporary / stream, table, day, days)
    _write(temporary / "truth", _truth_table(chances), dirty.day_of(shown.time, start), days)
    if score is not None:
        (temporary / BEST_ITEMS).mkdir()
        table = _best_items_table(world, *best_items(world, score, seed))
        pq.write_table(table, temporary / BEST_ITEMS / "best_items.parquet", compression="zstd")
    as_of = datetime.datetime.fromtimestamp(end / 1000, datetime.UTC).isoformat().replace("+00:00", "Z")
    planned = {
        "as_of": as_of,
        "windows_seconds": {stream: window // 1000 for stream, window in WINDOWS_MS.items()},
        "rows": rows,
        "planted": planted,
    }
    (temporary / DIRT).write_text(json.dumps(planned, indent=1) + "\n", encoding="utf-8")
    if out.exists():
        shutil.rmtree(out)
    temporary.rename(out)
    seconds = time.perf_counter() - started
    return SimulationSummary(out=out, rows=rows, planted=planted, as_of=as_of, seconds=seconds)


def _check(out: Path, impressions: int, seed: int, conflict: float, dirt: float, days: int, hidden: float) -> None:
    for name, value, least, most in (
        ("impressions", impressions, 1, 10**9),
        ("seed", seed, 0, 2**63 - 1),
        ("conflict", conflict, 0.0, 1.0),
        ("dirt", dirt, 0.0, 1.0),
        ("days", days, 1, 366),
        ("hidden", hidden, 0.0, 1.0),
    ):
        if not least <= value <= most:
            raise InputError(f"simulate: {name} is {value}; expected a value from {least:,} to {most:,}.")
    if out.exists() and not out.is_dir():
        raise InputError(f"simulate: {out} is a file; expected a folder for the logs. Choose another --out.")
    if out.is_dir() and any(out.iterdir()) and not (out / DIRT).is_file():
        raise InputError(
            f"simulate: {out} contains something other than simulated logs (it has no {DIRT}), which would be lost. "
            "Choose an empty or a new folder with --out."
        )


def _stream(
    rng: np.random.Generator, stream: str, shown: Traffic, events: Events, dirt: float, days: int, start: int, end: int
) -> tuple[pa.Table, Array, dict[str, int]]:
    """All rows of a stream, the day of each row's file, and the counts by kind."""
    if stream == "impressions":
        clean = _rows(stream, 0, shown, np.arange(len(shown)), shown.time, impression_columns(shown))
        clean_day = dirty.day_of(shown.time, start)
    else:
        impression, moment = events[stream]["impression"], events[stream]["time"]
        numbers = {name: values for name, values in events[stream].items() if name == _NUMBERS.get(stream)}
        clean, clean_day = _rows(stream, 0, shown, impression, moment, numbers), dirty.day_of(moment, start)
    share = round(dirt * clean.num_rows)
    tables, day_parts = [clean], [clean_day]
    planted = {"clean": clean.num_rows} | dict.fromkeys(dirty.KINDS, 0)

    def plant(kind: str, rows: pa.Table, day: Array) -> None:
        planted[kind] = rows.num_rows
        if kind != "duplicate":
            rows = rows.set_column(0, _IDS[stream], _ids(stream, sum(part.num_rows for part in tables), rows.num_rows))
        tables.append(rows)
        day_parts.append(day)

    if stream != "impressions":
        late, moment = dirty.late_events(rng, stream, shown, events, end, share)
        pool = events[stream].get(_NUMBERS.get(stream, ""), np.ones(1))
        numbers = {_NUMBERS[stream]: rng.choice(pool, len(late))} if stream in _NUMBERS and len(late) else {}
        if len(late):
            plant("late", _rows(stream, 0, shown, late, moment, numbers), dirty.day_of(moment, start))
        strays = dirty.orphans(rng, clean, share)
        plant("orphan", strays, dirty.day_of(strays["timestamp"].to_numpy(), start))
    broken = dirty.malformed(rng, clean, share)
    plant("malformed", broken, rng.integers(days, size=broken.num_rows))
    plant("duplicate", *dirty.duplicates(rng, clean, clean_day, days, share))
    return pa.concat_tables(tables), np.concatenate(day_parts), planted


def impression_columns(shown: Traffic) -> dict[str, pa.Array]:
    """The logged feature columns of the impressions."""
    item_tags = shown.population.item_tags
    tags = ["|".join(f"tag{tag}" for tag in np.flatnonzero(row)) or None for row in item_tags]
    named = {
        "segment": shop.SEGMENTS,
        "country": shop.COUNTRIES,
        "device": shop.DEVICES,
        "category": shop.CATEGORIES,
        "brand": tuple(f"brand{number}" for number in range(shop.BRANDS)),
    }
    features = {name: _texts(list(values), shown.codes[name]) for name, values in named.items()}
    features |= {name: pa.array(shown.codes[name].astype(np.int32)) for name in ("position", "hour")}
    features |= {name: pa.array(values, pa.float64(), mask=np.isnan(values)) for name, values in shown.numbers.items()}
    features["tags"] = _texts(tags, shown.item)
    return features


def user_names(count: int) -> list[str]:
    """Ids of the users in the logs, by their numbers."""
    return [f"u{number}" for number in range(count)]


def item_names(count: int) -> list[str]:
    """Ids of the items in the logs, by their numbers."""
    return [f"i{number}" for number in range(count)]


def _rows(
    stream: str, first_id: int, shown: Traffic, impression: Array, moment: Array, columns: dict[str, Any]
) -> pa.Table:
    """The id, the key and the time of each event, and the stream's own columns."""
    users = user_names(int(shown.user.max()) + 1)
    items = item_names(len(shown.population.item_tags))
    return pa.table(
        {
            _IDS[stream]: _ids(stream, first_id, len(impression)),
            "user_id": _texts(users, shown.user[impression]),
            "item_id": _texts(items, shown.item[impression]),
            "timestamp": pa.array(moment, pa.int64()),
            **columns,
        }
    )


def _ids(stream: str, first: int, count: int) -> pa.Array:
    return pa.array([f"{stream[:3]}{number}" for number in range(first, first + count)], pa.string())


def _texts(values: list[Any], codes: Array) -> pa.Array:
    return pa.array(values, pa.string()).take(pa.array(codes))


def _truth_table(truth: Truth) -> pa.Table:
    return pa.table({"impression_id": _ids("impressions", 0, len(truth.click)), **truth.columns()})


def _best_items_table(world: Shop, users: Array, items: Array, values: Array) -> pa.Table:
    names = user_names(int(world.logged.user.max()) + 1), item_names(len(world.logged.population.item_tags))
    return pa.table({"user_id": _texts(names[0], users), "item_id": _texts(names[1], items), "value": values})


def _write(folder: Path, table: pa.Table, day: Array, days: int) -> None:
    """Writes one file per day with its rows sorted by time. Rows without a time come first."""
    folder.mkdir(parents=True)
    if "timestamp" in table.column_names:
        order = np.lexsort((table["timestamp"].fill_null(0).to_numpy(), day))
    else:
        order = np.argsort(day, kind="stable")
    table, limits = table.take(pa.array(order)), np.searchsorted(day[order], np.arange(days + 1))
    for number in range(days):
        name = f"day={START + datetime.timedelta(days=number)}.parquet"
        part = table.slice(limits[number], limits[number + 1] - limits[number])
        pq.write_table(part, folder / name, compression="zstd", compression_level=1)
