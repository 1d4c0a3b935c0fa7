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
        squares: [task][task], the sum of its squares.
        count: [task][task], the samples in which both tasks are observed.
    """

    total: list[list[float]] = dataclasses.field(default_factory=list)
    squares: list[list[float]] = dataclasses.field(default_factory=list)
    count: list[list[int]] = dataclasses.field(default_factory=list)

    def add(self, affinity: np.ndarray, counted: np.ndarray) -> None:
        """Takes a sample in.

        Args:
            affinity: (task, task).
            counted: (task, task) bool: the pairs of which it counts.
        """
        zeros = np.zeros(affinity.shape)
        values = np.where(counted, affinity.astype(np.float64), 0.0)
        self.total = ((self.total or zeros) + values).tolist()
        self.squares = ((self.squares or zeros) + values**2).tolist()
        self.count = ((self.count or zeros.astype(int)) + counted.astype(int)).tolist()

    def means(self, tasks: Sequence[str]) -> dict[str, Any]:
        """For history.json, each {task: {task: number}} of the pairs with a sample; {} without samples.

        means: mean affinity of the first task onto the second.
        errors: its standard error, s / sqrt(n), as if the samples were independent; for pairs with two samples or more.
        samples: n.
        """
        if not self.count:
            return {}
        count = np.array(self.count)
        means = np.array(self.total) / np.maximum(count, 1)
        variance = np.maximum(np.array(self.squares) - count * means**2, 0.0) / np.maximum(count - 1, 1)
        errors = np.sqrt(variance / np.maximum(count, 1))

        def listed(values: np.ndarray, least: int) -> dict[str, dict[str, Any]]:
            return {
                b: {a: values[i, j].item() for j, a in enumerate(tasks) if count[i, j] >= least}
                for i, b in enumerate(tasks)
            }

        return {"means": listed(means, 1), "errors": listed(errors, 2), "samples": listed(count, 1)}
