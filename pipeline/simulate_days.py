"""Writes simulated logs as folders by day: `clicks/dt=2026-01-03/part-0.parquet`, one file in each folder.

A row is in the folder of the day of its own time, so an order of yesterday's click is in today's folder. Two kinds of planted
rows are not: half of the duplicates are delivered a day late, and malformed rows without a valid time are in the folder of the
day on which their event was simulated. The files of a day do not depend on how many days follow.
"""

from __future__ import annotations

import datetime
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.recipe.errors import InputError
from pipeline import simulate_dirt as dirty
from pipeline import simulate_shop as shop
from pipeline.simulate import SimulationSummary, by_day_and_time, check, check_ranges, finish
from pipeline.simulate_best_items import best_items
from pipeline.simulate_events import outcomes
from pipeline.simulate_faults import Faults, flipped_clicks
from pipeline.simulate_shop import DAY_MS, Array, random
from pipeline.simulate_streams import (
    BEST_ITEMS,
    KINDS,
    STREAMS,
    TRUTH,
    StreamRows,
    best_items_table,
    joined,
    stream_rows,
    truth_table,
)
from pipeline.simulate_truth import Truth
from pipeline.simulate_world import DailyShop, Dials, ShopOfDay

_FIRST, _LAST = datetime.date(1970, 1, 1), datetime.date(2099, 12, 31)
_NEVER_MS = 1 << 62
_NEVER_DAY = 1 << 31
_IDS_OF_A_DAY = 10
"""Ids that are set aside for a day, per impression, so that its ids do not depend on the days before. A day uses at most 5:
one for each clean row, and one for each late, orphan and malformed row, on a weekend."""


def simulate_days(
    out: str | Path,
    impressions: int,
    seed: int,
    days: int,
    *,
    first_day: datetime.date = shop.START,
    conflict: float = 0.0,
    dirt: float = 0.01,
    hidden: float = 0.0,
    dials: Dials | None = None,
    faults: Faults | None = None,
    score: Callable[[Truth], Array] | None = None,
) -> SimulationSummary:
    """Writes the logs. The same arguments give the same bytes, and the files of a day are the same for any later end.

    In addition to the streams' folders, `truth/` has each impression's true probabilities by day, without any fault, and
    `dirt.json` the counts of rows by kind in the written files. Events after the last day are not written, because they have
    not happened yet.

    Args:
        out: output folder. Simulated logs in it are replaced.
        impressions: mean number of impressions of a day, without dirt.
        seed, conflict, dirt, hidden: as for `simulate`.
        days: number of days.
        first_day: the first day.
        dials: how the shop changes from day to day; by default not at all.
        faults: faults of single days; by default none.
        score: as for `simulate`. If set, `best_items/` has, for each day, the best of the items that live on this day for a
            sample of its users.

    Raises:
        InputError: an argument is out of range, or the folder has other content.
    """
    started = time.perf_counter()
    out, dials, faults = Path(out), dials or Dials(), faults or Faults()
    check(out, impressions, seed, conflict, dirt, days, hidden)
    check_ranges(*((name, getattr(dials, name), 0.0, 1.0) for name in ("births", "drift", "rhythm")))
    if not _FIRST <= first_day <= _LAST - datetime.timedelta(days=days - 1):
        raise InputError(f"simulate: first day {first_day} of {days}: expected days from {_FIRST} to {_LAST}.")
    world = DailyShop(impressions, seed, first_day, conflict, hidden, dials)
    temporary = out.with_name(f".{out.name}.part")
    shutil.rmtree(temporary, ignore_errors=True)
    counts = {stream: dict.fromkeys(KINDS, 0) for stream in STREAMS}
    waiting: dict[str, StreamRows] = {}
    for day in world.days(days):
        date = first_day + datetime.timedelta(days=day.number)
        for stream, rows in _rows_of(day, world, dirt, flip=date in faults.poison).items():
            every = joined(waiting[stream], rows) if stream in waiting else rows
            waiting[stream] = every.take(np.flatnonzero(every.day > day.number))
            due = every.take(np.flatnonzero(every.day == day.number))
            due = due.take(by_day_and_time(due.table, due.day))
            if (stream, date) in faults.half:
                due = due.take(np.arange(due.table.num_rows // 2))
            if (stream, date) not in faults.missing:
                _write(temporary / stream, date, due.table)
                counts[stream] = {kind: counts[stream][kind] + more for kind, more in due.counts().items()}
        _write(temporary / TRUTH, date, truth_table(day.truth, _first_id(day, world)))
        if score is not None:
            _write(temporary / BEST_ITEMS, date, best_items_table(day, *best_items(day, score, day.seed)))
    total = {stream: sum(found.values()) for stream, found in counts.items()}
    end = world.start + days * DAY_MS
    return finish(
        temporary, out, started, end, total, counts, {"first_day": str(first_day), "days": days, **faults.written()}
    )


def _rows_of(day: ShopOfDay, world: DailyShop, dirt: float, *, flip: bool) -> dict[str, StreamRows]:
    """All rows of each stream that come from the impressions of a day, also those of later days."""
    events = outcomes(day.logged, day.truth, day.seed)
    flipped = events | {"clicks": flipped_clicks(day.logged, events, day.seed)} if flip else events

    def malformed_day(_: np.random.Generator, broken: pa.Table) -> Array:
        moment = broken["timestamp"].fill_null(dirty.FAR_FUTURE_MS).to_numpy()
        return np.where(moment < dirty.FAR_FUTURE_MS, dirty.day_of(moment, world.start), day.number)

    return {
        stream: stream_rows(
            random(day.seed, 10 + number),
            stream,
            day.logged,
            flipped if stream == "clicks" else events,
            dirt,
            start=world.start,
            end=_NEVER_MS,
            last_day=_NEVER_DAY,
            malformed_day=malformed_day,
            first_id=_first_id(day, world),
        )
        for number, stream in enumerate(STREAMS)
    }


def _first_id(day: ShopOfDay, world: DailyShop) -> int:
    return day.number * world.per_day * _IDS_OF_A_DAY


def _write(folder: Path, date: datetime.date, table: pa.Table) -> None:
    partition = folder / f"dt={date}"
    partition.mkdir(parents=True)
    pq.write_table(table, partition / "part-0.parquet", compression="zstd", compression_level=1)
