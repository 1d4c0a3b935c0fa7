"""AffinitySums: the affinities between the tasks, summed over the samples of a training. A part of its checkpoints."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np


@dataclasses.dataclass
class AffinitySums:
    """Sums over the samples so far. Python's floats, because a checkpoint in JSON keeps all of their bits.

    Attributes:
        total: [task][task], the affinity of the first onto the second.
        count: [task][task], the samples in which both tasks are observed.
    """

    total: list[list[float]] = dataclasses.field(default_factory=list)
    count: list[list[int]] = dataclasses.field(default_factory=list)

    def add(self, affinity: np.ndarray, counted: np.ndarray) -> None:
        """Takes a sample in.

        Args:
            affinity: (task, task).
            counted: (task, task) bool: the pairs of which it counts.
        """
        zeros = np.zeros(affinity.shape)
        self.total = ((self.total or zeros) + np.where(counted, affinity.astype(np.float64), 0.0)).tolist()
        self.count = ((self.count or zeros.astype(int)) + counted.astype(int)).tolist()

    def means(self, tasks: Sequence[str]) -> dict[str, Any]:
        """{"means": {task: {task: mean affinity of the first onto the second}}, "samples": the same with their numbers}, for
        history.json. A pair without a sample is missing. {} without samples."""
        if not self.count:
            return {}
        pairs = {
            b: {a: (self.total[i][j], self.count[i][j]) for j, a in enumerate(tasks) if self.count[i][j]}
            for i, b in enumerate(tasks)
        }
        return {
            "means": {b: {a: total / count for a, (total, count) in onto.items()} for b, onto in pairs.items()},
            "samples": {b: {a: count for a, (_, count) in onto.items()} for b, onto in pairs.items()},
        }
