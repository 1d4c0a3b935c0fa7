"""LearningRate: warm-up and decay of the learning rate, for both optimizers of a step."""

from __future__ import annotations

import math
from typing import Any, Literal

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="gatewise")
class LearningRate(keras.optimizers.schedules.LearningRateSchedule):
    """learning_rate * factor(step), with factor(step) = warm-up * decay * reduction.

        warm-up: min(1, (step + 1) / warmup_steps)
        decay: 1, or for "cosine" (1 + cos(pi min(1, step / steps))) / 2, at least `LEAST`
        reduction: the variable `reduction`, which "plateau" lowers when the validation loss stops falling

    Args:
        learning_rate: learning rate at factor 1.
        decay: "constant", "cosine" (Loshchilov and Hutter 2017, https://arxiv.org/abs/1608.03983, without restarts) or
            "plateau".
        warmup_steps: number of steps of the warm-up; 0 for none.
        steps: number of steps until the cosine reaches its end.
        reduction: scalar variable, 1 at the start.

    Call: step, from 0 -> learning rate.
    """

    start = 0
    """Steps of the optimizer before this training, which do not count. Set before the first step."""

    def __init__(
        self,
        learning_rate: float,
        decay: Literal["constant", "cosine", "plateau"] = "constant",
        warmup_steps: int = 0,
        steps: int = 1,
        reduction: keras.Variable | None = None,
    ) -> None:
        self.learning_rate, self.decay, self.warmup_steps, self.steps = learning_rate, decay, warmup_steps, steps
        self.reduction = reduction

    def factor(self, step: Any) -> Any:
        """The part of the learning rate that applies at a step, from 0."""
        step = ops.cast(step - self.start, "float32")
        factor = ops.cast(1.0, "float32")
        if self.warmup_steps:
            factor = ops.minimum(factor, (step + 1.0) / self.warmup_steps)
        if self.decay == "cosine":
            done = ops.minimum(1.0, step / self.steps)
            factor = factor * ops.maximum(LEAST, 0.5 * (1.0 + ops.cos(math.pi * done)))
        if self.decay == "plateau" and self.reduction is not None:
            factor = factor * ops.convert_to_tensor(self.reduction)
        return factor

    def __call__(self, step: Any) -> Any:
        return self.learning_rate * self.factor(step)

    def get_config(self) -> dict[str, Any]:
        return {
            "learning_rate": self.learning_rate,
            "decay": self.decay,
            "warmup_steps": self.warmup_steps,
            "steps": self.steps,
        }


LEAST = 0.01
"""Smallest part of the learning rate that a cosine leaves."""
PLATEAU = 0.3
"""Factor by which a plateau lowers the learning rate."""
