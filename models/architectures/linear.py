"""Linear: the linear baseline on the same features."""

from __future__ import annotations

from typing import Any, ClassVar

import keras
from keras import ops

from models.architectures.base import Architecture
from models.architectures.encoded import Encoded
from models.architectures.task_info import TaskInfo


@keras.saving.register_keras_serializable(package="gatewise")
class Linear(Architecture):
    """Predicts each task by a linear model of the encoded features; the baseline that any network must beat.

    logit_t = x @ w_t + b_t.

    x holds the embeddings of the features. For embeddings at least as wide as there are tasks, this is the function class
    of a logistic regression on one-hot features for each task.

    Args:
        tasks: tasks in the order of the label columns.
    """

    user_once: ClassVar[bool] = True

    def __init__(self, tasks: tuple[TaskInfo, ...], **layer: Any) -> None:
        super().__init__(tasks, **layer)
        self.towers = self.make_towers((), "relu", 0.0)

    def build(self, input_shape: Encoded) -> None:
        for tower in self.towers:
            tower.build(input_shape.x)

    def call(self, inputs: Encoded, training: bool | None = None) -> dict[str, Any]:
        logits = {name: tower(inputs.x) for name, tower in zip(self.names, self.towers, strict=True)}
        # It has no hidden layer, and its embeddings are for the tasks alone.
        return self.outputs(logits, [ops.stop_gradient(inputs.x)] * len(self.towers))
