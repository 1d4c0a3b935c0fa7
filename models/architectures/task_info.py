"""TaskInfo: what an architecture is told of a task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class TaskInfo:
    """One task, as an architecture sees it.

    Attributes:
        name: unique; an architecture tells tasks apart by their position, never by their name.
        kind: what the label is.
        outputs: logits for each example, as the task's loss needs them.
        after: name of the task before it in the funnel (a click before an order). A relation, which masks nothing.
        conditional: whether the task is observed only where the task `after` is positive.
    """

    name: str
    kind: Literal["binary", "regression"] = "binary"
    outputs: int = 1
    after: str | None = None
    conditional: bool = False
