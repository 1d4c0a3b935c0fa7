"""The ids and the constants that a run with `training.start: warm` takes over from its ancestor.

state/features/ -> Past;  (Past, Analysis of the train split) -> NightIds -> ids.parquet, ids.json, the vocabularies
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
from collections.abc import Mapping
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from components.columnar.counts import nameable
from components.features.plan import FeaturesPlan, IdsPlan
from components.features.seen import ALWAYS, Seen
from components.features.turnover import Rules, Turnover, turn_over
from components.storage.reading import LocalCopy
from models.features.ids import SCHEMA, Ids, read_ids
from models.features.layout import ANALYSED_FILE, Analysed, table_of
from models.recipe.errors import InputError
from models.recipe.features import Categorical, Feature, MultiValued
from models.recipe.vector import Vector

_TYPES = {"string": pa.large_binary(), "integer": pa.int64(), "number": pa.float32()}
ROOM, LEAST_ROOM = 2, 64
"""A table has rows for so many times the values of its cold start, for 64 at least and for `vocabulary` at most."""
_DEFINING = ("kind", "column", "type", "transform", "scale", "buckets", "boundaries", "columns")


@dataclasses.dataclass(frozen=True)
class Past:
    """What the ancestor's features stage wrote: its constants, and its ids."""

    analysed: Analysed
    ids: Ids

    def has(self, name: str, feature: Feature) -> bool:
        """Whether the ancestor had the same feature. Its constants then stay, and it may be without a value tonight."""
        return self.ids.definitions.get(name) == definition(feature)

    def has_table(self, table: str, feature: Categorical | MultiValued) -> bool:
        """Whether the ancestor had the table, with ids of the same type."""
        return self.ids.types.get(table) == feature.type


@dataclasses.dataclass(frozen=True)
class NightIds:
    """The ids of the night.

    Attributes:
        ids: the ledger.
        vocabularies: {table: the values with a row, in the order of the rows}.
        count_errors: as of `Analysed`.
        turnovers: {table: what happened}.
    """

    ids: Ids
    vocabularies: Mapping[str, pa.Array]
    count_errors: Mapping[str, int]
    turnovers: Mapping[str, Turnover]

    def report(self) -> str:
        """The content of ids.json."""
        tables = {
            table: {"rows": self.ids.capacities[table], **dataclasses.asdict(turnover)}
            for table, turnover in sorted(self.turnovers.items())
        }
        return json.dumps({"day": self.ids.day, "tables": tables}, indent=2)


def definition(feature: Feature) -> str:
    """What the ids or the constants of a feature depend on, as text. Sizes and limits of counts are not part of it."""
    defining = {*_DEFINING, "dim", "normalise"} if isinstance(feature, Vector) else {*_DEFINING}
    return json.dumps(feature.model_dump(mode="json", include=defining), sort_keys=True)


def with_ids(features: Mapping[str, Feature]) -> dict[str, Categorical | MultiValued]:
    """{table: its first feature} of all tables with a vocabulary, in the recipe's order."""
    tables: dict[str, Categorical | MultiValued] = {}
    for name, feature in features.items():
        if isinstance(feature, Categorical | MultiValued) and feature.vocabulary is not None:
            tables.setdefault(table_of(name, feature), feature)
    return tables


def read_past(plan: FeaturesPlan) -> Past | None:
    """What the ancestor left in its state; None at a cold start, and without `ids`.

    Raises:
        InputError: the state lacks a file, or it is damaged.
    """
    if plan.ids is None or not plan.ids.state:
        return None
    with LocalCopy(os.path.join(plan.ids.state, "features")) as folder:
        ids = read_ids(folder)
        try:
            with open(os.path.join(folder, ANALYSED_FILE), encoding="utf-8") as file:
                return Past(Analysed.from_json(file.read()), ids)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{plan.ids.state}/features/{ANALYSED_FILE}: expected the constants of the features of an earlier run, found "
                f"none ({error!r}). Withdraw this version with `gatewise rollback`, so that the next run goes on from an earlier one."
            ) from None


def counted_since(plan: FeaturesPlan, past: Past | None) -> dict[str, int] | None:
    """{table: time from which impressions are counted}: all of a new table, of others what the ancestor has not counted.

    None without `ids`.
    """
    if plan.ids is None:
        return None
    until = ALWAYS if plan.ids.learned_until is None else plan.ids.learned_until
    return {
        table: until if past is not None and past.has_table(table, feature) else ALWAYS
        for table, feature in with_ids(plan.features).items()
    }


def night_ids(
    analysis: Mapping[str, Any], features: Mapping[str, Feature], plan: IdsPlan, past: Past | None
) -> NightIds:
    """The ids after the night: `turn_over` of each table.

    Args:
        analysis: of the train split, counted as `counted_since` says.
        features: {name: feature}.
        plan: the night.
        past: the ancestor's.
    """
    tables = with_ids(features)
    rows, vocabularies, errors, turnovers, capacities = [], {}, {}, {}, {}
    for table, feature in tables.items():
        known = past if past is not None and past.has_table(table, feature) else None
        seen: Seen = analysis[f"vocabulary/{table}"]
        decay = 1.0 if known is None else _decay(plan, known.ids.day)
        lost = 0 if known is None else known.analysed.count_errors.get(table, 0)
        error = math.ceil(lost * decay + seen.frequent.error)
        kind = _TYPES[feature.type]
        # A value that may occur so often is not left out.
        frame, least = _frame(seen, kind), max(1, feature.min_count - error)
        room = ROOM * int((frame["new"] >= least).sum()) if known is None else known.ids.capacities.get(table, 0)
        capacities[table] = min(_most(feature), max(room, LEAST_ROOM))
        rules = Rules(
            capacity=capacities[table],
            least=least,
            decay=decay,
            forgotten=None if known is None or plan.forget_after is None else plan.day - plan.forget_after,
        )
        old = pl.DataFrame(schema=SCHEMA) if known is None else known.ids.of_table(table)
        ids, turnovers[table] = turn_over(_as(old, kind), frame, rules)
        vocabularies[table] = _arrow(ids.filter(pl.col("row") >= 0).get_column("value"), kind)
        lines = pl.Series("value", vocabulary_texts(_arrow(ids.get_column("value"), kind)), dtype=pl.Binary)
        rows.append(ids.with_columns(lines, pl.lit(table).alias("table")).select(*SCHEMA))
        if error:
            errors[table] = error
    ledger = Ids(
        rows=pl.concat(rows) if rows else pl.DataFrame(schema=SCHEMA),
        day=plan.day,
        definitions={name: definition(feature) for name, feature in features.items()},
        types={table: feature.type for table, feature in tables.items()},
        capacities=capacities,
    )
    return NightIds(ledger, vocabularies, errors, turnovers)


def vocabulary_texts(values: pa.Array) -> pa.Array:
    """The values as they are written to a vocabulary file, as large_binary."""
    texts = values.cast(pa.large_string()) if pa.types.is_primitive(values.type) else values
    return texts.cast(pa.large_binary())


def _most(feature: Categorical | MultiValued) -> int:
    if feature.vocabulary is None:
        raise ValueError("a feature without a vocabulary has no ids of its own")
    return feature.vocabulary


def _decay(plan: IdsPlan, day: int) -> float:
    decay: float = 2.0 ** (-max(0, plan.day - day) / plan.half_life)
    return decay


def _as(ids: pl.DataFrame, kind: pa.DataType) -> pl.DataFrame:
    """The ids of a ledger with their values in the type of the column, which ties are sorted by."""
    texts = _arrow(ids.get_column("value"), pa.large_binary())
    values = texts.cast(pa.large_string()).cast(kind) if pa.types.is_primitive(kind) else texts
    return ids.select(pl.Series("value", values), "row", "first", "last", "count")


def _frame(seen: Seen, kind: pa.DataType) -> pl.DataFrame:
    """What the night saw, without the values that can have no id."""
    counts = seen.frequent.counts
    frame = pl.DataFrame(
        {
            "value": pl.Series(counts.values.cast(kind)),
            "first": pl.Series(seen.first, dtype=pl.Int64),
            "last": pl.Series(seen.last, dtype=pl.Int64),
            "new": pl.Series(counts.counts, dtype=pl.Int64),
        }
    )
    return frame.filter(pl.Series(nameable(counts.values)))


def _arrow(series: pl.Series, kind: pa.DataType) -> pa.Array:
    array = series.to_arrow()
    return pc.cast(array, kind)
