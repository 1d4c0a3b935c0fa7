"""Plants known numbers of the defects of real logs: duplicates, orphans, late events, malformed rows.

The number of rows of each kind is the share `dirt` of the stream's clean rows. They are added; no clean row is removed or
changed, so the true probabilities stay valid. Impressions have neither orphans nor late events.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from pipeline.simulate_events import WINDOWS_MS, Events, late_delays
from pipeline.simulate_shop import DAY_MS, Array, Traffic

KINDS = ("duplicate", "orphan", "late", "malformed")
FAR_FUTURE_MS = 4_102_444_800_000
"""2100-01-01, the time logged by a device with a wrong clock."""


def late_events(
    rng: np.random.Generator, stream: str, shown: Traffic, events: Events, end: int, count: int
) -> tuple[Array, Array]:
    """Impressions without the outcome, and times of a late outcome: after its window, before the end of the log.

    Late carts and orders come from clicked impressions. There may be fewer than `count` in a short log.
    """
    if stream == "clicks":
        possible = np.ones(len(shown), dtype=bool)
    else:
        possible = np.zeros(len(shown), dtype=bool)
        possible[events["clicks"]["impression"]] = True
    if stream != "dwell":
        possible[events[stream]["impression"]] = False
    elif count:
        # Every click has a dwell event in time, so a second, late one is not credited.
        possible[:] = True
        possible[events["clicks"]["impression"]] = False
    impression = rng.permutation(np.flatnonzero(possible))
    time = shown.time[impression] + late_delays(rng, WINDOWS_MS[stream], len(impression))
    kept = np.flatnonzero(time < end)[:count]
    return impression[kept], time[kept]


def orphans(rng: np.random.Generator, rows: pa.Table, count: int) -> pa.Table:
    """Copies of rows with a user who has no impression."""
    chosen = rows.take(rng.integers(rows.num_rows, size=count if rows.num_rows else 0))
    ghosts = [f"ghost{number}" for number in range(chosen.num_rows)]
    return chosen.set_column(chosen.column_names.index("user_id"), "user_id", pa.array(ghosts, pa.string()))


def malformed(rng: np.random.Generator, rows: pa.Table, count: int) -> pa.Table:
    """Copies of rows without a user, without a time, or with a time in the future, a third each."""
    chosen = rows.take(rng.integers(rows.num_rows, size=count if rows.num_rows else 0))
    defect = np.arange(chosen.num_rows) % 3
    user = pa.array(chosen["user_id"].to_pylist(), pa.string(), mask=defect == 0)
    time = np.where(defect == 2, FAR_FUTURE_MS, chosen["timestamp"].to_numpy())
    chosen = chosen.set_column(chosen.column_names.index("user_id"), "user_id", user)
    return chosen.set_column(chosen.column_names.index("timestamp"), "timestamp", pa.array(time, mask=defect == 1))


def duplicates(rng: np.random.Generator, rows: pa.Table, day: Array, days: int, count: int) -> tuple[pa.Table, Array]:
    """Exact copies of distinct rows, and their days. Half of the copies are delivered a day later."""
    chosen = rng.permutation(rows.num_rows)[:count]
    return rows.take(chosen), np.minimum(day[chosen] + rng.integers(2, size=len(chosen)), days - 1)


def day_of(time: Array, start: int) -> Array:
    """Day of the log, from 0."""
    return (time - start) // DAY_MS
