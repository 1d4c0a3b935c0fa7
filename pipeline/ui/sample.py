"""Users and items of a run's eval examples, for the playground."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from components.interactions.writing import EVAL_QUERIES, FILES
from models.retrieval.plan import HISTORY
from pipeline.json_values import jsonable

USERS, ITEMS, VALUES = 50, 500, 40
"""Maximum number of users, of candidate items without a retrieval model, and of proposed values of a column."""

NO_EXAMPLES = "The eval examples of the run that made this version are not here."


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sample:
    """What the eval examples of a run offer to try.

    Attributes:
        users: {"name", "values": {column: value}, "history": [item ids, the newest first]}, by rising name.
        items: {column: value} of each distinct item, the most frequent first, with raw values.
        values: {column: most frequent values}, for the user's text columns.
        source: folder of the examples; None if there are none.
        history_source: file of the histories; None without one.
        missing: why there are no users; "" if there are.
    """

    users: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    items: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    values: dict[str, list[Any]] = dataclasses.field(default_factory=dict)
    source: Path | None = None
    history_source: Path | None = None
    missing: str = ""


def read_sample(
    examples: Path | None,
    interactions: Path | None,
    inputs: Mapping[str, Mapping[str, Any]],
    user: str | None,
    with_items: bool,
) -> Sample:
    """Reads users, and the items that were shown to them.

    Args:
        examples: folder `Split-eval` of the raw examples. None: nothing to read.
        interactions: folder of the stage Interactions, which has the users' histories. None without a retrieval model.
        inputs: the ranker's inputs, {column: {"type", "multivalued", "side"}}.
        user: column that identifies a user. None: each example is its own user.
        with_items: whether to read the items, too.
    """
    files = sorted(examples.glob("*.parquet")) if examples and examples.is_dir() else []
    if not files:
        return Sample(missing=NO_EXAMPLES)
    data = ds.dataset([str(file) for file in files])
    of_user = [name for name, about in inputs.items() if about["side"] != "item" and name in data.schema.names]
    of_item = [name for name, about in inputs.items() if about["side"] == "item" and name in data.schema.names]
    user = user if user in data.schema.names else None
    histories = _histories(interactions, user)
    table = data.to_table(columns=list(dict.fromkeys([*of_user, *([user] if user else [])])))
    return Sample(
        users=_users(table, of_user, user, histories),
        items=_items(data.to_table(columns=of_item)) if with_items and of_item else [],
        values={name: _frequent(table[name]) for name in of_user if inputs[name]["type"] != "float"},
        source=examples,
        history_source=_queries(interactions) if histories else None,
    )


def _queries(interactions: Path | None) -> Path | None:
    file = interactions / f"Split-{EVAL_QUERIES}" / FILES[EVAL_QUERIES] if interactions else None
    return file if file and file.is_file() else None


def _histories(interactions: Path | None, user: str | None) -> dict[Any, list[Any]]:
    """{user: ids of the items chosen before the eval split, the newest first} of users who have a history."""
    file = _queries(interactions)
    if file is None or user is None or not {user, HISTORY} <= set(pq.read_schema(file).names):
        return {}
    table = pq.read_table(file, columns=[user, HISTORY])
    histories = zip(table[user].to_pylist(), table[HISTORY].to_pylist(), strict=True)
    return {_one(name): history for name, history in histories if history}


def _users(
    table: pa.Table, columns: Sequence[str], user: str | None, histories: Mapping[Any, list[Any]]
) -> list[dict[str, Any]]:
    """Users with a history come first if there are any; among equals, evenly spaced over the examples."""
    if user is None:
        rows = _spaced(np.arange(table.num_rows), USERS)
        names = [f"example {row + 1}" for row in rows]
    else:
        ids = _flat(table[user])
        first: dict[Any, int] = {}
        for row, name in enumerate(ids):
            if name is not None:
                first.setdefault(name, row)
        chosen = sorted(histories.keys() & first.keys()) or sorted(first)
        kept = [chosen[place] for place in _spaced(np.arange(len(chosen)), USERS)]
        rows, names = [first[name] for name in kept], [str(_plain(name)) for name in kept]
    found = table.take(pa.array(rows, pa.int64()))
    ids = _flat(found[user]) if user else [None] * len(rows)
    return [
        {
            "name": name,
            "values": {column: _plain(_one(value)) for column, value in row.items() if column in columns},
            "history": [_plain(item) for item in histories.get(known, [])],
        }
        for name, known, row in zip(names, ids, found.to_pylist(), strict=True)
    ]


def _items(table: pa.Table) -> list[dict[str, Any]]:
    """The most frequent distinct rows, with raw values. Ties go to the row that comes first."""
    counts: dict[Any, int] = {}
    rows: dict[Any, dict[str, Any]] = {}
    for row in table.to_pylist():
        key = tuple(tuple(value) if isinstance(value, list) else value for value in row.values())
        counts[key] = counts.get(key, 0) + 1
        rows.setdefault(key, row)
    best = sorted(rows, key=lambda key: -counts[key])[:ITEMS]
    return [rows[key] for key in best]


def _frequent(column: pa.ChunkedArray) -> list[Any]:
    values = pc.list_flatten(column) if pa.types.is_list(column.type) or pa.types.is_large_list(column.type) else column
    counted = sorted(
        ((one["values"], one["counts"]) for one in pc.value_counts(values).to_pylist() if one["values"] is not None),
        key=lambda pair: (-pair[1], str(pair[0])),
    )
    return sorted((_plain(value) for value, _ in counted[:VALUES]), key=lambda value: (str(type(value)), value))


def _flat(column: pa.ChunkedArray) -> list[Any]:
    return [_one(value) for value in column.to_pylist()]


def _one(value: Any) -> Any:
    """A value, of a list of one; None of an empty list; longer lists unchanged."""
    if not isinstance(value, list):
        return value
    return value if len(value) > 1 else (value[0] if value else None)


def _plain(value: Any) -> Any:
    """A raw value as JSON."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return jsonable(np.array(value, object)) if isinstance(value, bytes) else value


def _spaced(places: np.ndarray, most: int) -> list[int]:
    """At most so many of the places, evenly spaced."""
    count = min(most, len(places))
    return [int(places[at * len(places) // count]) for at in range(count)]
