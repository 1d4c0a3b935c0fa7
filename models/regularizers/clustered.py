"""Clustered: the weights of the tasks of a cluster stay near their mean."""

from __future__ import annotations

import collections
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from models.layers.task_norms import matrix
from models.recipe.errors import InputError
from models.regularizers.base import TaskRegularizer, check_strength

if TYPE_CHECKING:
    from models.recipe.option_types import Clusters, Strength


@keras.saving.register_keras_serializable(package="gatewise")
class Clustered(TaskRegularizer):
    """Draws the weights of the tasks to the mean of their cluster; suits tasks of known kinds, such as two surfaces or countries.

        loss term = sum over the layers of each task of
            mean * |m|^2 + between * sum over clusters c of T_c |m_c - m|^2 + within * sum over tasks t of |w_t - m_c(t)|^2

    m is the mean of the tasks' kernels, m_c the mean of the T_c tasks of a cluster. Jacob et al., Clustered multi-task
    learning: a convex formulation, NIPS 2008 (https://arxiv.org/abs/0809.2085), as in Ruder 2017
    (https://arxiv.org/abs/1706.05098). Deviation: the recipe gives the clusters; the paper also learns them by a spectral
    program over all tasks, which a step on one batch does not solve. `task_distance` joins tasks without declared clusters.

    Args:
        clusters: the tasks of each cluster. A task in no cluster is a cluster of its own.
        mean: factor of the size of the mean, 0 or more.
        between: factor of the distance of the clusters from the mean, 0 or more.
        within: factor of the distance of the tasks from their cluster, 0 or more.

    Raises:
        InputError: a factor is negative, or a task is in two clusters.
    """

    def __init__(
        self, *, clusters: Clusters = (), mean: Strength = 0.0, between: Strength = 1e-5, within: Strength = 1e-4
    ) -> None:
        for name, factor in (("mean", mean), ("between", between), ("within", within)):
            check_strength(f"clustered.{name}", factor)
        self.clusters = tuple(tuple(cluster) for cluster in clusters)
        self.mean, self.between, self.within = mean, between, within
        counts = collections.Counter(task for cluster in self.clusters for task in cluster)
        if twice := [task for task, count in counts.items() if count > 1]:
            raise InputError(
                f"clustered.clusters: expected each task in at most one cluster, received {twice[0]!r} in "
                f"{counts[twice[0]]}. Keep it in one."
            )

    def call(self, stacks: Sequence[Any], tasks: tuple[str, ...]) -> Any:
        return sum((self._layer(matrix(stack), tasks) for stack in stacks), start=ops.zeros(()))

    def _layer(self, weights: Any, tasks: tuple[str, ...]) -> Any:
        """weights: (task, parameter)."""
        mean = ops.mean(weights, axis=0)
        of_clusters = ops.matmul(self._averaging(tasks), weights)  # (task, parameter): the mean of each task's cluster
        return (
            self.mean * ops.sum(ops.square(mean))
            + self.between * ops.sum(ops.square(of_clusters - mean))
            + self.within * ops.sum(ops.square(weights - of_clusters))
        )

    def _averaging(self, tasks: tuple[str, ...]) -> np.ndarray:
        """(task, task): 1 / T_c for two tasks of one cluster, else 0. Names of other tasks do not count: a reference has one."""
        of_task = {task: number for number, cluster in enumerate(self.clusters) for task in cluster}
        numbers = np.array([of_task.get(task, -1 - i) for i, task in enumerate(tasks)])
        same = (numbers[:, None] == numbers).astype(np.float32)
        return same / same.sum(axis=1, keepdims=True)

    def get_config(self) -> dict[str, Any]:
        return {"clusters": self.clusters, "mean": self.mean, "between": self.between, "within": self.within}
