"""WeightAverage: a running average of the weights, which is evaluated, kept and exported instead of the last weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from models.embedding_optimizers.one_pass import one_pass

ETA = 8.0
"""Weight of recent weights. At 8, half of the average comes from the last 7 % of the training."""


@keras.saving.register_keras_serializable(package="gatewise")
class WeightAverage(keras.layers.Layer):
    """Polynomial-decay average of dense variables and embedding tables.

        average_n = average_{n-1} + a_n (weights_n - average_{n-1}),  a_n = (1 + eta) / (n + eta)

    a_1 is 1: the average begins at the first weights. The window grows with the training, so that one setting fits 200
    steps and 200,000. Constant learning rates end in noise around a minimum; the average is nearer to it.

    The average of a weight that is exactly 0 is 0, so that what a regularizer set to 0 stays 0.

    Shamir and Zhang, Stochastic Gradient Descent for Non-smooth Optimization, ICML 2013
    (https://arxiv.org/abs/1212.1824). Deviation: n counts updates, one every `steps_between` steps, because an
    update is a pass over all tables.
    """

    def __init__(self, **layer: Any) -> None:
        super().__init__(**layer)
        self._update: Any = None

    def build(self, shapes: Sequence[tuple[int, ...]]) -> None:
        """Creates the averages of variables with these shapes."""
        fill = one_pass(keras.initializers.Zeros())
        self.averages = [
            self.add_weight(
                shape=shape, initializer=fill, trainable=False, autocast=False, dtype="float32", name="average"
            )
            for shape in shapes
        ]
        self.updates = self.add_weight(
            shape=(), initializer="zeros", trainable=False, autocast=False, dtype="float32", name="updates"
        )

    def update(self, variables: Sequence[keras.Variable], replicas: int = 1) -> None:
        """Takes the weights as they are now into the average.

        Args:
            variables: the averaged variables, in the order of `build`.
            replicas: number of replicas that hold them. With one, the update is compiled into one pass.
        """
        if replicas > 1:
            self._step(variables)
            return
        if self._update is None:
            self._update = tf.function(lambda: self._step(variables), autograph=False, jit_compile=True)
        self._update()

    def _step(self, variables: Sequence[keras.Variable]) -> None:
        self.updates.assign(self.updates.value + 1.0)
        part = (1.0 + ETA) / (self.updates.value + ETA)
        for average, variable in zip(self.averages, variables, strict=True):
            weights = tf.cast(variable.value, "float32")
            mean = average.value + part * (weights - average.value)
            average.assign(tf.where(weights == 0.0, 0.0, mean))

    def exchange(self, variables: Sequence[keras.Variable]) -> None:
        """Exchanges the weights and their average. Twice leaves both as they were. Nothing, before the first update."""
        if float(keras.ops.convert_to_numpy(self.updates)) == 0.0:
            return
        for average, variable in zip(self.averages, variables, strict=True):
            weights = tf.identity(variable.value)
            variable.assign(average.value)
            average.assign(weights)


def steps_between(elements: int) -> int:
    """Steps between two passes over all weights: 10, and more for large tables, so that the passes over them stay a small part.

    Args:
        elements: number of weights.
    """
    return max(10, -(-elements // 500_000))


def exchange_average(model: Any) -> None:
    """Exchanges the weights of a MultiTaskModel and their average, if it keeps one."""
    if model.average is not None:
        model.average.exchange(model.averaged)
