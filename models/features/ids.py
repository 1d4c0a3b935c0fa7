"""The id ledger: which value has which row of an embedding table. Does not import TensorFlow.

`ids.parquet` lies beside `layout.json`, one row for each table and value:

    table  string        the embedding table
    value  large_binary  the value as in the vocabulary file: the text, or the number as written there
    row    int64         its line in the vocabulary file, from 0; -1 for an id that waits for a row
    first  int64         time of the first impression with the value, in microseconds since 1970 UTC
    last   int64         time of the last one
    count  float64       impressions with it, each day's decayed to the end of the ledger's day

sorted by table; inside a table by row, then the waiting ids by value. The row of the embedding table is `first_vocabulary_id` + row.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from models.features.layout import IDS_FILE
from models.recipe.errors import InputError

SCHEMA = {
    "table": pl.String,
    "value": pl.Binary,
    "row": pl.Int64,
    "first": pl.Int64,
    "last": pl.Int64,
    "count": pl.Float64,
}
WAITING = -1
"""Row of an id without a row."""
_ABOUT = b"gatewise"


@dataclasses.dataclass(frozen=True)
class Ids:
    """The ledger at the end of a day.

    Attributes:
        rows: the table above.
        day: the end of the day, in microseconds since 1970 UTC; the counts are decayed to it.
        definitions: {feature: what its ids or its scaling depend on}; a feature with another definition is another one.
        types: {table: type of its values}.
        capacities: {table: rows for ids}, chosen by the cold start.
    """

    rows: pl.DataFrame
    day: int
    definitions: Mapping[str, str]
    types: Mapping[str, str]
    capacities: Mapping[str, int] = dataclasses.field(default_factory=dict)

    def of_table(self, table: str) -> pl.DataFrame:
        """The rows of one table."""
        return self.rows.filter(pl.col("table") == table)

    def vocabulary(self, table: str) -> pl.Series:
        """(rows,) binary: the values that have a row, in the order of the rows."""
        return self.of_table(table).filter(pl.col("row") >= 0).sort("row").get_column("value")


def read_ids(folder: str | Path) -> Ids:
    """Reads the ledger in the folder of a TransformGraph or of a state.

    Raises:
        InputError: there is none, or it is damaged: two ids in one row, or a row without an id before one with an id.
    """
    path = Path(folder) / IDS_FILE
    try:
        read = pq.read_table(path)
        about = json.loads((read.schema.metadata or {})[_ABOUT])
        rows = _frame(pl.from_arrow(read)).select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())
        ids = Ids(rows, int(about["day"]), about["definitions"], about["types"], about["capacities"])
    except FileNotFoundError:
        raise InputError(
            f"{path}: expected the id ledger of a run with `training.start: warm`, found no file. Withdraw this version with "
            "`gatewise rollback`, so that the next run goes on from an earlier one or starts cold."
        ) from None
    except (pa.ArrowException, pl.exceptions.PolarsError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path}: expected the id ledger of a run, found a damaged or another file ({error})."
        ) from error
    _check(rows, path)
    return ids


def _check(rows: pl.DataFrame, path: Path) -> None:
    live = rows.filter(pl.col("row") >= 0).group_by("table", maintain_order=True)
    used = live.agg(pl.len(), pl.col("row").n_unique().alias("distinct"), pl.col("row").max().alias("most"))
    wrong = used.filter((pl.col("len") != pl.col("distinct")) | (pl.col("len") != pl.col("most") + 1))
    if not wrong.is_empty():
        raise InputError(
            f"{path}: expected the rows 0, 1, 2, ... of the table {wrong['table'][0]!r}, each with one id; found "
            f"{wrong['len'][0]} ids in {wrong['distinct'][0]} rows up to {wrong['most'][0]}. The file is damaged: restore it, or "
            "withdraw this version with `gatewise rollback`."
        )
    if rows.select("table", "value").is_duplicated().any():
        raise InputError(f"{path}: an id occurs twice in one table. The file is damaged: restore it.")


def write_ids(ids: Ids, path: str | Path) -> None:
    """Writes the ledger as a Parquet file; the same ledger gives the same bytes."""
    about = {
        "day": ids.day,
        "definitions": dict(ids.definitions),
        "types": dict(ids.types),
        "capacities": dict(ids.capacities),
    }
    waiting = pl.col("row") < 0
    rows = ids.rows.select(*SCHEMA).sort("table", waiting, "row", "value")
    schema = pa.schema(
        [
            ("table", pa.string()),
            ("value", pa.large_binary()),
            ("row", pa.int64()),
            ("first", pa.int64()),
            ("last", pa.int64()),
            ("count", pa.float64()),
        ],
        metadata={_ABOUT: json.dumps(about, sort_keys=True)},
    )
    pq.write_table(rows.to_arrow().cast(schema), path, compression="zstd")


def moved(old: Ids, new: Ids) -> dict[str, np.ndarray]:
    """Where the rows of the new ledger were in the old one.

    Returns:
        {table of the new ledger: (ids,) int64}: for each id with a row, in the order of the rows, its old row, or -1 for an id that had
        none. Rows beyond have no id yet. An id that had none was read as an out-of-vocabulary value: see
        `models.features.value_ids.out_of_vocabulary_ids`.
    """
    live = pl.col("row") >= 0
    before = old.rows.filter(live).select("table", "value", pl.col("row").alias("old"))
    joined = new.rows.filter(live).join(before, on=["table", "value"], how="left").sort("table", "row")
    rows = joined.select("table", pl.col("old").fill_null(WAITING)).partition_by("table", as_dict=True)
    found = {str(table): part.get_column("old").to_numpy() for (table,), part in rows.items()}
    return {table: found.get(table, np.empty(0, np.int64)) for table in sorted(new.types)}


def _frame(read: Any) -> pl.DataFrame:
    if not isinstance(read, pl.DataFrame):
        raise TypeError(f"expected a table, received {type(read).__name__}")
    return read
