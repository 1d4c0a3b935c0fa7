"""Tasks of which only the names matter."""

from __future__ import annotations

from models.architectures.task_info import TaskInfo


def binary(*names: str) -> tuple[TaskInfo, ...]:
    """Binary tasks of these names, none related to another."""
    return tuple(TaskInfo(name=name) for name in names)
