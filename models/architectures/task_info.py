"""TaskInfo: the properties of a task that an architecture uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class TaskInfo:
    """Properties of one task for an architecture.

    Attributes:
        name: unique name. Architectures select tasks by position, never by name.
        kind: kind of the label.
        outputs: number of logits per example, as the task's loss requires.
        after: name of the preceding task in the funnel (a click before an order). It masks no examples.
        conditional: whether the task is observed only if the task `after` is positive.
        served: whether the task is exported; False for an auxiliary task.
        descriptor: numbers that describe the task to a task-conditioned network, as many as in the other tasks. (): one-hot of
            the task's position.
    """

    name: str
    kind: Literal["binary", "regression"] = "binary"
    outputs: int = 1
    after: str | None = None
    conditional: bool = False
    served: bool = True
    descriptor: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "descriptor", tuple(self.descriptor))  # a saved layer has a list
