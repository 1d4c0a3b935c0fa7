"""The examples of a small problem, as every method gets them: the columns of the features, labels and weights."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from components.example_schema import EXAMPLE_ID
from models.recipe.features import columns_of
from models.recipe.recipe import Recipe

Array = NDArray[np.float64]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Split:
    """The examples of a split, in the order of their ids.

    Attributes:
        columns: the columns of the features, and of the group.
        labels, weights: task -> (n,). Weight 0 where the task is not observed.
    """

    columns: pl.DataFrame
    labels: dict[str, Array]
    weights: dict[str, Array]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kinds:
    """Columns of the features by kind."""

    categorical: tuple[str, ...]
    numeric: tuple[str, ...]


def kinds(recipe: Recipe) -> Kinds:
    """The columns of a recipe's features: ids and texts, and numbers."""
    found: dict[str, list[str]] = {"categorical": [], "numeric": []}
    for name, feature in recipe.features.items():
        found[feature.kind] += columns_of(name, feature)
    return Kinds(categorical=tuple(found["categorical"]), numeric=tuple(found["numeric"]))


def read(examples: Path, split: str, recipe: Recipe) -> Split:
    """Reads a split that the EventLogs stage wrote."""
    frame = pl.read_parquet(examples / f"Split-{split}" / "*.parquet")
    frame = frame.select(pl.all().list.first()).sort(EXAMPLE_ID)
    columns = frame.select(pl.exclude("^label/.*$", "^weight/.*$")).with_columns(
        pl.col(pl.Binary).cast(pl.String, strict=False)
    )

    def of(part: str) -> dict[str, Any]:
        return {task: frame[f"{part}/{task}"].to_numpy().astype(np.float64) for task in recipe.tasks}

    return Split(columns=columns, labels=of("label"), weights=of("weight"))
