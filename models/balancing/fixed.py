"""Fixed: the weights of the recipe."""

from __future__ import annotations

from typing import Any

import keras

from models.balancing.base import Weighting


@keras.saving.register_keras_serializable(package="gatewise")
class Fixed(Weighting):
    """The tasks' weights as the recipe has them: the default, and what any other balancer has to beat.

    Args:
        tasks: names of the tasks.
        weights: weight of each task's loss.
    """

    def __init__(self, tasks: tuple[str, ...], weights: tuple[float, ...], **layer: Any) -> None:
        super().__init__(tasks, weights, **layer)

    def call(self, losses: Any) -> Any:
        return keras.ops.convert_to_tensor(self.task_weights, dtype=losses.dtype)
