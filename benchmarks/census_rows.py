"""The examples of the first stage as one plain table per split: the same rows for the peers.

examples/Split-<split>/*.parquet -> rows/<split>.parquet: gatewise/example_id, the raw columns, label/<task>
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from components.example_schema import EXAMPLE_ID, SPLITS, weight_of
from components.storage.writing import whole_file


def write_rows(examples: Path, out: Path, tasks: Sequence[str]) -> None:
    """Writes a Parquet file per split, sorted by example id.

    Args:
        examples: folder of the artifact of EventLogs.
        out: folder, which is created if missing.
        tasks: names of the tasks.

    Raises:
        RuntimeError: an example has a weight other than 1.
    """
    out.mkdir(parents=True, exist_ok=True)
    for split in SPLITS:
        found = plain_rows(pl.scan_parquet(examples / f"Split-{split}" / "*.parquet"), tasks)
        with whole_file(str(out / f"{split}.parquet")) as temporary:
            found.write_parquet(temporary)


def plain_rows(examples: pl.LazyFrame, tasks: Sequence[str]) -> pl.DataFrame:
    """The examples with plain values in place of lists of one value, without the weights; see `write_rows`.

    The columns are in the order of their names, and all numbers are float64: the rows do not depend on the types and the order of
    the recipe's features.
    """
    first = pl.all().list.first()
    found = examples.select(first).sort(EXAMPLE_ID).with_columns(pl.col(pl.Binary).cast(pl.String)).collect()
    found = found.with_columns(pl.col(pl.Float32, pl.Int64).exclude(EXAMPLE_ID).cast(pl.Float64))
    found = found.select(sorted(found.columns))
    weights = [weight_of(task) for task in tasks]
    if not (found.select(weights) == 1).to_numpy().all():
        raise RuntimeError("expected examples of weight 1: the peers train without weights")
    return found.drop(weights)
