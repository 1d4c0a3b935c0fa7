"""BadSteps: remembers the first training step of each task that was not finite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from models.training import replicas


class BadSteps(keras.layers.Layer):
    """The first step at which the loss or gradient of each task was not finite.

    Args:
        count: number of tasks.
    """

    def __init__(self, count: int, **layer: Any) -> None:
        super().__init__(**layer)
        self.count = count

    def build(self, input_shape: Any = None) -> None:
        # Not int32: TensorFlow places int32 variables in host memory, which a compiled step on a GPU cannot access.
        self.first = self.add_weight(
            shape=(self.count,),
            initializer=keras.initializers.Constant(-1),
            dtype="int64",
            trainable=False,
            aggregation="only_first_replica",
            name="first_bad_step",
        )

    def record(self, finite: Any, step: Any) -> None:
        """Notes the tasks that are not finite at this step.

        Args:
            finite: (task,) bool, of this replica.
            step: number of the training step, from 0.
        """
        now_bad = replicas.any_of(~finite) & (self.first.value < 0)
        self.first.assign(tf.where(now_bad, tf.cast(step, "int64"), self.first.value))

    def of(self, tasks: Sequence[str]) -> dict[str, int]:
        """{task: its first bad step}; {} if all were finite."""
        steps = ops.convert_to_numpy(self.first)
        return {task: int(step) for task, step in zip(tasks, steps, strict=True) if step >= 0}
