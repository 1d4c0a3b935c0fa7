"""The rows of the simulated streams as Arrow tables, with the planted defects of `simulate_dirt`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline import simulate_dirt as dirty
from pipeline import simulate_shop as shop
from pipeline.simulate_affinity import Offers
from pipeline.simulate_events import Events
from pipeline.simulate_shop import Array, Traffic
from pipeline.simulate_truth import Truth

_IDS = {
    "impressions": "impression_id",
    "clicks": "click_id",
    "dwell": "dwell_id",
    "carts": "cart_id",
    "orders": "order_id",
}
STREAMS = tuple(_IDS)
"""Folders of event logs. TRUTH and, if wanted, BEST_ITEMS are written in addition."""
TRUTH = "truth"
BEST_ITEMS = "best_items"
KINDS = ("clean", *dirty.KINDS)
"""Kinds of rows."""
_NUMBERS = {"dwell": "dwell_seconds", "orders": "order_value"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class StreamRows:
    """Rows of a stream.

    Attributes:
        table: the rows.
        day: (row,) day of the file of each row, counted from the start of the log.
        kind: (row,) index into KINDS.
    """

    table: pa.Table
    day: Array
    kind: Array

    def counts(self) -> dict[str, int]:
        """Rows of each kind."""
        found = np.bincount(self.kind, minlength=len(KINDS))
        return {kind: int(count) for kind, count in zip(KINDS, found, strict=True)}

    def take(self, rows: Array) -> StreamRows:
        """Some of the rows."""
        return StreamRows(table=self.table.take(pa.array(rows)), day=self.day[rows], kind=self.kind[rows])


def joined(first: StreamRows, second: StreamRows) -> StreamRows:
    """The rows of both, in this order."""
    return StreamRows(
        table=pa.concat_tables([first.table, second.table]),
        day=np.concatenate([first.day, second.day]),
        kind=np.concatenate([first.kind, second.kind]),
    )


def stream_rows(
    rng: np.random.Generator,
    stream: str,
    shown: Traffic,
    events: Events,
    dirt: float,
    *,
    start: int,
    end: int,
    last_day: int,
    malformed_day: Callable[[np.random.Generator, pa.Table], Array],
    first_id: int = 0,
) -> StreamRows:
    """All rows of a stream.

    Args:
        rng: the random generator of the defects.
        stream: one of STREAMS.
        shown: the impressions.
        events: their outcomes.
        dirt: as for `simulate`.
        start: start of the log, in milliseconds.
        end: late events are before it, in milliseconds.
        last_day: the last day that a duplicate may be delivered on.
        malformed_day: maps malformed rows to the days of their files.
        first_id: number in the id of the first row.
    """
    if stream == "impressions":
        clean = _rows(stream, first_id, shown, np.arange(len(shown)), shown.time, impression_columns(shown))
        clean_day = dirty.day_of(shown.time, start)
    else:
        impression, moment = events[stream]["impression"], events[stream]["time"]
        numbers = {name: values for name, values in events[stream].items() if name == _NUMBERS.get(stream)}
        clean, clean_day = _rows(stream, first_id, shown, impression, moment, numbers), dirty.day_of(moment, start)
    share = round(dirt * clean.num_rows)
    tables, day_parts, kinds = [clean], [clean_day], [np.zeros(clean.num_rows, np.int8)]

    def plant(kind: str, rows: pa.Table, day: Array) -> None:
        if kind != "duplicate":
            first = first_id + sum(part.num_rows for part in tables)
            rows = rows.set_column(0, _IDS[stream], _ids(stream, first, rows.num_rows))
        tables.append(rows)
        day_parts.append(day)
        kinds.append(np.full(rows.num_rows, KINDS.index(kind), np.int8))

    if stream != "impressions":
        late, moment = dirty.late_events(rng, stream, shown, events, end, share)
        pool = events[stream].get(_NUMBERS.get(stream, ""), np.ones(1))
        numbers = {_NUMBERS[stream]: rng.choice(pool, len(late))} if stream in _NUMBERS and len(late) else {}
        if len(late):
            plant("late", _rows(stream, 0, shown, late, moment, numbers), dirty.day_of(moment, start))
        strays = dirty.orphans(rng, clean, share)
        plant("orphan", strays, dirty.day_of(strays["timestamp"].to_numpy(), start))
    broken = dirty.malformed(rng, clean, share)
    plant("malformed", broken, malformed_day(rng, broken))
    plant("duplicate", *dirty.duplicates(rng, clean, clean_day, last_day + 1, share))
    return StreamRows(table=pa.concat_tables(tables), day=np.concatenate(day_parts), kind=np.concatenate(kinds))


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


def truth_table(truth: Truth, first_id: int = 0) -> pa.Table:
    """True probabilities by the id of the impression, of which the first has the number `first_id`."""
    return pa.table({"impression_id": _ids("impressions", first_id, len(truth.click)), **truth.columns()})


def best_items_table(world: Offers, users: Array, items: Array, values: Array) -> pa.Table:
    """What `best_items` finds, with the ids of the users and items."""
    names = user_names(int(world.logged.user.max()) + 1), item_names(len(world.logged.population.item_tags))
    return pa.table({"user_id": _texts(names[0], users), "item_id": _texts(names[1], items), "value": values})
