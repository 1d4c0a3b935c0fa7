"""The best groups of tasks for a number of networks, from the affinities of a training, by exact search."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from models.recipe.errors import InputError

MOST_TASKS = 14
"""The search takes time and memory of 3^tasks: two seconds for 14 tasks."""
_RESOLUTION = 1e9
"""Affinities are rounded to this part of the largest, so that sums are exact and ties are ties."""


@dataclasses.dataclass(frozen=True)
class Group:
    """A network.

    Attributes:
        tasks: the tasks that are trained together.
        served: those of them whose predictions are served from this network. The others only help to train it.
    """

    tasks: tuple[str, ...]
    served: tuple[str, ...]


def best_groups(
    affinity: Mapping[str, Mapping[str, float]], networks: int, served: Collection[str] | None = None
) -> tuple[Group, ...]:
    """The groups with the largest total affinity onto the tasks.

        total = sum_a s(a, G_a)
        s(a, G) = 1/(|G| - 1) sum_{b in G, b != a} Z_ba, and 0 if a is alone in G

    with the groups G_1 .. G_n, n <= `networks`, that cover the served tasks and may overlap, and the group G_a of a with the largest s. Of
    equal totals, the fewest networks win, then the fewest tasks in all groups together, then a fixed choice by name. So the
    result does not depend on the order of the tasks.

    The tasks that a group serves are a partition, whose parts S are served from the group G with the largest sum over S of s(a, G)
    among the supersets of S. So the search is one over partitions, by dynamic programming over sets of tasks: 3^tasks steps.

    Fifty et al., Efficiently Identifying Task Groupings for Multi-Task Learning, NeurIPS 2021,
    https://arxiv.org/abs/2109.04617, section 4. Deviations: a task alone has the affinity 0, that of no influence, because its
    affinity onto itself is no measure of what others do to it. At most, not exactly, as many networks are used. The paper's
    branch and bound finds the same optimum.

    Args:
        affinity: {task b: {task a: Z_ba}}, for each task. A pair that is missing counts 0, as do the pairs b = a.
        networks: the budget, at least 1.
        served: the tasks to serve. The total is over them, and the others, such as auxiliary tasks, only help to train them.
            By default all tasks.

    Returns:
        The groups, with their tasks by name, in the order of the first task that each serves.

    Raises:
        InputError: more than `MOST_TASKS` tasks, or no network.
    """
    tasks = sorted(affinity)
    if len(tasks) > MOST_TASKS or networks < 1:
        raise InputError(
            f"Task groups: expected at most {MOST_TASKS} tasks and at least 1 network, received {len(tasks)} and {networks}. "
            "The exact search takes time of 3^tasks: leave out tasks that belong together anyway."
        )
    needed = sum(1 << place for place, task in enumerate(tasks) if served is None or task in served)
    worth, group_of = _served_from(_gains(tasks, affinity))
    found, best = [np.array([0] + [_NEVER] * (len(worth) - 1))], []
    for _ in range(min(networks, needed.bit_count())):
        totals, parts = _with_one_more(found[-1], worth)
        found.append(totals)
        best.append(parts)
    # The first of the largest totals: the fewest networks.
    count, left = int(np.argmax([totals[needed] for totals in found])), needed
    groups = []
    for parts in reversed(best[:count]):
        part = int(parts[left])
        groups.append(Group(_names(tasks, int(group_of[part])), _names(tasks, part)))
        left -= part
    return tuple(sorted(groups, key=lambda group: group.served))


def total_affinity(affinity: Mapping[str, Mapping[str, float]], groups: Sequence[Group]) -> float:
    """The total of `best_groups` for given groups."""
    return math.fsum(
        affinity.get(b, {}).get(a, 0.0) / (len(group.tasks) - 1)
        for group in groups
        for a in group.served
        for b in group.tasks
        if b != a
    )


_NEVER = -(2**62)


def _gains(tasks: Sequence[str], affinity: Mapping[str, Mapping[str, float]]) -> np.ndarray:
    """(group, task) integers: s(a, G), in units in which all of them are whole; a group is the bits of its tasks."""
    pairs = np.array([[0.0 if a == b else affinity[b].get(a, 0.0) for a in tasks] for b in tasks])
    whole = np.rint(pairs / (np.abs(pairs).max(initial=0.0) or 1.0) * _RESOLUTION).astype(np.int64)
    member = (np.arange(2 ** len(tasks))[:, None] >> np.arange(len(tasks))) & 1
    others = np.maximum(member.sum(axis=1) - 1, 1)
    unit = math.lcm(*range(1, max(len(tasks), 2)))
    return (member @ whole) * (unit // others)[:, None]


def _served_from(gains: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each set of served tasks: what it is worth in its best group, less the size of the group as a tie-break; and the group."""
    sets, tasks = gains.shape
    size = np.bitwise_count(np.arange(sets)).astype(np.int64)
    worth, group_of = np.zeros(sets, np.int64), np.zeros(sets, np.int64)
    for served in range(1, sets):
        groups = served | _subsets(sets - 1 - served)
        own = np.flatnonzero(served >> np.arange(tasks) & 1)
        # A tie-break of all groups together is at most tasks^2, below one unit of the gains.
        values = gains[np.ix_(groups, own)].sum(axis=1) * (tasks**2 + 1) - size[groups]
        place = int(np.argmax(values))
        worth[served], group_of[served] = values[place], groups[place]
    return worth, group_of


def _with_one_more(totals: np.ndarray, worth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(set,) the largest total of each set of tasks with exactly one group more, and the part that this group serves."""
    more, parts = np.full(len(worth), _NEVER), np.zeros(len(worth), np.int64)
    for tasks in range(1, len(worth)):
        first = tasks & -tasks
        candidates = first | _subsets(tasks - first)
        before = totals[tasks - candidates]
        values = np.where(before == _NEVER, _NEVER, before + worth[candidates])
        place = int(np.argmax(values))
        more[tasks], parts[tasks] = values[place], candidates[place]
    return more, parts


def _subsets(mask: int) -> np.ndarray:
    """All subsets of the bits of a mask, ascending."""
    found = np.zeros(1, np.int64)
    while mask:
        bit = mask & -mask
        found = np.concatenate([found, found | bit])
        mask -= bit
    return found


def _names(tasks: Sequence[str], mask: int) -> tuple[str, ...]:
    return tuple(task for place, task in enumerate(tasks) if mask >> place & 1)
