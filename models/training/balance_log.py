"""BalanceLog: what the balancer did in an epoch, as Keras metrics, which the history, TensorBoard and the report then have."""

from __future__ import annotations

import itertools
from typing import Any

import keras
import tensorflow as tf

from models.balancing.base import GradientCombiner, Weighting
from models.balancing.cosines import cosines
from models.training.logged_names import COSINE_OF, WEIGHT_OF


class BalanceLog:
    """Means over the steps of an epoch: `weight_of_<task>` of a Weighting, and `cosine_of_<task>_and_<task>` where the balancer
    sees gradients: the cosine of the angle between the gradients of two tasks, over the steps in which both are not 0.

    A balancer that changes nothing (`Balancer.changes`) has none.

    Args:
        balancer: the balancer.
    """

    def __init__(self, balancer: Weighting | GradientCombiner) -> None:
        tasks = balancer.tasks
        weighs = balancer.changes and isinstance(balancer, Weighting)
        pairs = itertools.combinations(range(len(tasks)), 2) if balancer.over is not None else ()
        self.weights = [keras.metrics.Mean(name=f"{WEIGHT_OF}{task}") for task in tasks if weighs]
        self.cosines = {
            pair: keras.metrics.Mean(name=COSINE_OF + "_and_".join(tasks[place] for place in pair)) for pair in pairs
        }

    @property
    def metrics(self) -> list[keras.Metric]:
        """All of them."""
        return [*self.weights, *self.cosines.values()]

    def update(self, weights: Any, gradients: Any) -> None:
        """Takes a step in.

        Args:
            weights: weight of each task.
            gradients: (task, parameter) gradients of the tasks, or None.
        """
        for metric, weight in zip(self.weights, weights, strict=False):
            metric.update_state(weight)
        if self.cosines and gradients is not None:
            _, present, matrix = cosines(tf.matmul(gradients, gradients, transpose_b=True), ridge=0.0)
            for (one, other), metric in self.cosines.items():
                metric.update_state(matrix[one, other], sample_weight=present[one] * present[other])
