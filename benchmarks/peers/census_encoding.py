"""The rows of Census-Income for the peers: label-encoded texts and codes, numbers, labels."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

SPLITS = ("train", "validate", "eval")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Split:
    """A split. `codes`: (row, column) int64; `numbers`: (row, number) float32; `labels`: (row, task) float32."""

    codes: np.ndarray
    numbers: np.ndarray
    labels: np.ndarray


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rows:
    """The splits by name; `sizes`: {column of codes: number of codes}; names of the columns of numbers and of the tasks."""

    splits: Mapping[str, Split]
    sizes: Mapping[str, int]
    numbers: Sequence[str]
    tasks: Sequence[str]


def read_rows(question: Mapping[str, Any]) -> Rows:
    """Reads and encodes the question's `rows`, a folder of `benchmarks.census_rows`.

    Columns other than the question's `numbers` become codes: 0 for a value that is not in the train split, then the values of
    the train split in ascending order. Numbers are as in the files.
    """
    frames = {split: pl.read_parquet(Path(question["rows"]) / f"{split}.parquet") for split in SPLITS}
    numbers, tasks = question["numbers"], question["tasks"]
    columns = [
        name for name in frames["train"].columns if name not in numbers and not name.startswith(("label/", "gatewise/"))
    ]
    values = {name: frames["train"][name].unique().drop_nulls().sort() for name in columns}

    def coded(frame: pl.DataFrame, name: str) -> np.ndarray:
        known = pl.int_range(1, 1 + len(values[name]), eager=True)
        return frame[name].replace_strict(values[name], known, default=0, return_dtype=pl.Int64).to_numpy()

    return Rows(
        splits={
            split: Split(
                codes=np.stack([coded(frame, name) for name in columns], axis=1),
                numbers=frame.select(pl.col(numbers).cast(pl.Float32)).to_numpy(),
                labels=frame.select(f"label/{task}" for task in tasks).to_numpy().astype(np.float32),
            )
            for split, frame in frames.items()
        },
        sizes={name: 1 + len(found) for name, found in values.items()},
        numbers=numbers,
        tasks=tasks,
    )
