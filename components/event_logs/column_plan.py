"""The columns of the examples and of the streams, as parts of the first stage's plan."""

from __future__ import annotations

from typing import Literal

from models.recipe.stage_plan import StagePlan

ColumnType = Literal["bytes", "int", "float"]


class ColumnPlan(StagePlan):
    """A raw column of the examples. `length`: number of values of a vector."""

    name: str
    type: ColumnType
    multivalued: bool = False
    separator: str | None = None
    length: int | None = None


class TimePlan(StagePlan):
    """The time column of a stream, like `models.recipe.Time`."""

    column: str
    unit: Literal["s", "ms", "us", "ns", "text"]
    zone: str | None = None
    format: str | None = None


class CsvPlan(StagePlan):
    """The CSV dialect, like `models.recipe.Csv`."""

    delimiter: str = ","
    quote: str | None = '"'
    escape: str | None = None
    header: tuple[str, ...] | None = None
    multiline: bool = False
