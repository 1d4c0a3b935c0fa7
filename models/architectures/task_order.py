"""The order of tasks of which some read others."""

from __future__ import annotations

from collections.abc import Sequence
from graphlib import TopologicalSorter

from models.architectures.task_info import TaskInfo


def before_by_funnel(tasks: Sequence[TaskInfo]) -> tuple[int | None, ...]:
    """For each task the position of the task `after` which it comes, or None."""
    names = [task.name for task in tasks]
    return tuple(names.index(task.after) if task.after in names else None for task in tasks)


def first_to_last(read: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """Positions of the tasks, each behind the tasks that it reads.

    Args:
        read: for each task the positions of the tasks that it reads, without a cycle.
    """
    return tuple(TopologicalSorter(dict(enumerate(read))).static_order())
