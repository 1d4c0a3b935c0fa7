"""Encoded: the input of an architecture. Wants: the features that it requests besides x."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple


class Encoded(NamedTuple):
    """The encoded features of a batch.

    Attributes:
        x: (batch, dim), all features, after the backbone.
        parts: {feature: (batch, width)}, the features in `Wants.parts`, before the backbone.
        rows: {feature: ((batch, length, width), (batch, length) bool)}, the features in `Wants.rows`: unpooled
            embeddings of a list, and a mask of the positions with a value.
        by_task: a (batch, dim) for each task, like x from embeddings of the task's own; () without `Wants.tables_by_task`.
    """

    x: Any
    parts: Mapping[str, Any] = {}
    rows: Mapping[str, tuple[Any, Any]] = {}
    by_task: tuple[Any, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Wants:
    """Features that an architecture reads besides x.

    Attributes:
        parts: names of features to read separately, such as the input of a gate.
        rows: names of multi-valued features to read unpooled, such as a history for attention.
        tables_by_task: whether each task has embeddings of its own beside the shared ones of x. The tables are then
            1 + number of tasks times as wide.
    """

    parts: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    tables_by_task: bool = False
