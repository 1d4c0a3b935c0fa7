"""Simulates the logs of a shop with known true probabilities: impressions, clicks, dwell times, carts and orders.

`simulate_shop` draws the impressions, `simulate_truth` computes the true probabilities, `simulate_events` draws the outcomes,
`simulate_dirt` adds the defects of real logs, `simulate_streams` makes tables of them, and `simulate_best_items` finds the truly
best items of some users. This module writes one Parquet file per stream and day. `simulate_days` writes folders by day.
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
from pipeline.simulate_events import WINDOWS_MS, outcomes
from pipeline.simulate_shop import DAY_MS, START, Array
from pipeline.simulate_streams import BEST_ITEMS, STREAMS, TRUTH, best_items_table, stream_rows, truth_table
from pipeline.simulate_truth import Truth

DIRT = "dirt.json"
"""File with the counts of planted rows. It is written last, and marks a folder of simulated logs, which may be replaced."""


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

    @property
    def last_day(self) -> datetime.date:
        """The last whole day before `as_of`."""
        return datetime.datetime.fromisoformat(self.as_of).date() - datetime.timedelta(days=1)


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
    check(out, impressions, seed, conflict, dirt, days, hidden)
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
    for number, stream in enumerate(STREAMS):
        rng = shop.random(seed, 10 + number)
        logged = stream_rows(
            rng,
            stream,
            shown,
            events,
            dirt,
            start=start,
            end=end,
            last_day=days - 1,
            malformed_day=lambda rng, broken: rng.integers(days, size=broken.num_rows),
        )
        rows[stream], planted[stream] = logged.table.num_rows, logged.counts()
        _write(temporary / stream, logged.table, logged.day, days)
    _write(temporary / TRUTH, truth_table(chances), dirty.day_of(shown.time, start), days)
    if score is not None:
        (temporary / BEST_ITEMS).mkdir()
        table = best_items_table(world, *best_items(world, score, seed))
        pq.write_table(table, temporary / BEST_ITEMS / "best_items.parquet", compression="zstd")
    return finish(temporary, out, started, end, rows, planted)


def finish(
    temporary: Path,
    out: Path,
    started: float,
    end: int,
    rows: dict[str, int],
    planted: dict[str, dict[str, int]],
    more: dict[str, Any] | None = None,
) -> SimulationSummary:
    """Writes the counts, and moves the whole folder of logs to its place.

    Args:
        temporary: the folder with the written logs.
        out: its place. What is there is replaced.
        started: `time.perf_counter()` at the start.
        end: end of the logs, in milliseconds.
        rows, planted: as in the summary.
        more: further entries of the file DIRT.
    """
    as_of = datetime.datetime.fromtimestamp(end / 1000, datetime.UTC).isoformat().replace("+00:00", "Z")
    planned = {
        "as_of": as_of,
        "windows_seconds": {stream: window // 1000 for stream, window in WINDOWS_MS.items()},
        "rows": rows,
        "planted": planted,
        **(more or {}),
    }
    (temporary / DIRT).write_text(json.dumps(planned, indent=1) + "\n", encoding="utf-8")
    if out.exists():
        shutil.rmtree(out)
    temporary.rename(out)
    seconds = time.perf_counter() - started
    return SimulationSummary(out=out, rows=rows, planted=planted, as_of=as_of, seconds=seconds)


def check(out: Path, impressions: int, seed: int, conflict: float, dirt: float, days: int, hidden: float) -> None:
    """Checks the arguments of `simulate`.

    Raises:
        InputError: an argument is out of range, or the folder has other content.
    """
    check_ranges(
        ("impressions", impressions, 1, 10**9),
        ("seed", seed, 0, 2**63 - 1),
        ("conflict", conflict, 0.0, 1.0),
        ("dirt", dirt, 0.0, 1.0),
        ("days", days, 1, 366),
        ("hidden", hidden, 0.0, 1.0),
    )
    if out.exists() and not out.is_dir():
        raise InputError(f"simulate: {out} is a file; expected a folder for the logs. Choose another --out.")
    if out.is_dir() and any(out.iterdir()) and not (out / DIRT).is_file():
        raise InputError(
            f"simulate: {out} contains something other than simulated logs (it has no {DIRT}), which would be lost. "
            "Choose an empty or a new folder with --out."
        )


def check_ranges(*arguments: tuple[str, float, float, float]) -> None:
    """Checks arguments, each a name, a value, and the least and the largest value.

    Raises:
        InputError: an argument is out of range.
    """
    for name, value, least, most in arguments:
        if not least <= value <= most:
            raise InputError(f"simulate: {name} is {value}; expected a value from {least:,} to {most:,}.")


def by_day_and_time(table: pa.Table, day: Array) -> Array:
    """The order of the rows in the files: by day, then by time. Rows without a time come first."""
    if "timestamp" in table.column_names:
        return np.lexsort((table["timestamp"].fill_null(0).to_numpy(), day))
    return np.argsort(day, kind="stable")


def _write(folder: Path, table: pa.Table, day: Array, days: int) -> None:
    """Writes one file per day with its rows sorted by time. Rows without a time come first."""
    folder.mkdir(parents=True)
    order = by_day_and_time(table, day)
    table, limits = table.take(pa.array(order)), np.searchsorted(day[order], np.arange(days + 1))
    for number in range(days):
        name = f"day={START + datetime.timedelta(days=number)}.parquet"
        part = table.slice(limits[number], limits[number + 1] - limits[number])
        pq.write_table(part, folder / name, compression="zstd", compression_level=1)
