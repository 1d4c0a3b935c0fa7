"""CrossStitchUnit: learned mixing of task activations."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from models.recipe.errors import InputError


@keras.saving.register_keras_serializable(package="gatewise")
class CrossStitchUnit(keras.layers.Layer):
    """Mixes the activations of the tasks' networks linearly: out[b, t] = sum_s alpha[t, s] x[b, s].

    Misra et al., Cross-stitch Networks for Multi-task Learning, CVPR 2016 (https://arxiv.org/abs/1604.03539).
    Deviation: one alpha per pair of tasks; the paper has one per pair and channel.

    Args:
        self_weight: initial alpha of a task's own activations, 0 to 1. The other tasks share the rest equally, so that each
            row of alpha sums to 1. A single task starts at 1.

    Call: (batch, task, dim) -> (batch, task, dim).

    Raises:
        InputError: self_weight outside [0, 1].
    """

    def __init__(self, *, self_weight: float = 0.9, **layer: Any) -> None:
        super().__init__(**layer)
        if not 0.0 <= self_weight <= 1.0:
            raise InputError(f"cross stitch: expected a self_weight from 0 to 1, received {self_weight}.")
        self.self_weight = self_weight

    def build(self, input_shape: tuple[Any, ...]) -> None:
        tasks = input_shape[1]

        def start(shape: tuple[int, ...], dtype: Any = None) -> Any:
            if tasks == 1:
                return ops.ones(shape, dtype)
            other = (1.0 - self.self_weight) / (tasks - 1)
            return other * ops.ones(shape, dtype) + (self.self_weight - other) * ops.eye(tasks, dtype=dtype)

        self.alpha = self.add_weight(shape=(tasks, tasks), initializer=start, name="alpha")

    def call(self, x: Any) -> Any:
        return ops.einsum("ts,bsd->btd", self.alpha, x)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "self_weight": self.self_weight}
