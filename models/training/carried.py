"""Which variables of a training go on from a state: those with an equal name and shape, and with the same meaning under other tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

TASK = "task:"
"""Begins the part of a name that is a task: `architecture:MMoE/towers/task:click/logit/kernel`."""
_OF_ALL = ("backbone", "row_counts", "shared", "iterations", "updates")
"""Parts of a name of what belongs to no task, whatever the tasks are."""

Shape = tuple[int, ...]


def carried(
    own: Mapping[str, Shape], given: Mapping[str, Shape], tasks: Sequence[str], given_tasks: Sequence[str]
) -> list[str]:
    """The names of the variables that go on, in the order of `own`.

    A variable may belong to a task by its place alone, as the third network of a list or the third row of a matrix. If the tasks are not
    the same in the same order, it goes on only if that place cannot be another task's:

    - what is named by task, and what all tasks share by its name, goes on;
    - if the number of tasks differs, the items of a list go on if the list has as many items as before, and a matrix with the same shape;
    - if it does not, nothing else does: lists and matrices have the same sizes, and may have other tasks.

    Args:
        own: {name: shape} of the model's variables.
        given: those of the state.
        tasks, given_tasks: the tasks of the model and of the state, in order.
    """
    same = [name for name, shape in own.items() if given.get(name) == shape]
    if tuple(tasks) == tuple(given_tasks):
        return same
    if len(tasks) == len(given_tasks):
        return [name for name in same if _is_safe(name)]
    lists, given_lists = _lists(own), _lists(given)
    return [name for name in same if all(lists[one] == given_lists[one] for one in _numbered(name))]


def _is_safe(name: str) -> bool:
    parts = [part.partition(":")[0] for part in name.split("/")]
    return any(part in _OF_ALL for part in parts) or any(part.startswith(TASK) for part in name.split("/"))


def _numbered(name: str) -> list[str]:
    """The lists that a name goes through."""
    parts = name.split("/")
    return ["/".join(parts[:at]) for at, part in enumerate(parts) if part.isdigit()]


def _lists(names: Mapping[str, Shape]) -> dict[str, set[str]]:
    """{list: numbers of its items that have variables}."""
    found: dict[str, set[str]] = {}
    for name in names:
        parts = name.split("/")
        for one in _numbered(name):
            found.setdefault(one, set()).add(parts[one.count("/") + 1])
    return found
