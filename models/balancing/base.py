"""The two types of balancer, which the training step tells apart by type and never by name."""

from __future__ import annotations

import abc
from typing import Any, ClassVar

import keras


class Balancer(keras.layers.Layer, abc.ABC):
    """What both types have: the tasks, their fixed weights, and state in Keras variables, so that it is checkpointed.

    Options of a subclass are keyword-only, with literal defaults.

    Args:
        tasks: names of the tasks, in the order of the losses.
        weights: the recipe's weight of each task, kept as `task_weights`.
    """

    needs_non_negative: ClassVar[bool] = (
        False  # whether a loss below 0 breaks it: the recipe's check reads it from the source
    )

    def __init__(self, tasks: tuple[str, ...], weights: tuple[float, ...], **layer: Any) -> None:
        super().__init__(**layer)
        self.tasks = tuple(tasks)
        self.task_weights = tuple(float(weight) for weight in weights)
        if len(self.tasks) != len(self.task_weights):
            raise ValueError(f"{type(self).__name__}: {len(self.tasks)} tasks but {len(self.task_weights)} weights.")

    def build(self, input_shape: Any = None) -> None:
        """Makes the state; a balancer with variables overrides it."""

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "tasks": self.tasks, "weights": self.task_weights}


class Weighting(Balancer):
    """A balancer that weighs the losses: the step follows the gradient of sum_t w_t L_t plus what it gave `add_loss`.

    The gradient also flows through the weights into whatever they depend on: one that is computed from the losses
    and not meant to be differentiated belongs behind `keras.ops.stop_gradient`.

    Call: (task,) losses -> (task,) weights, the fixed task weights included. A loss of exactly 0 says that the batch
        has no observation of the task.
    """

    @abc.abstractmethod
    def call(self, losses: Any) -> Any:
        """(task,) -> (task,)."""


class GradientCombiner(Balancer):
    """A balancer that makes one gradient of the tasks' gradients over the variables that the tasks share.

    The gradients it receives are those of w_t L_t, w the fixed task weights. All other variables, the embedding
    tables among them, get the gradient of sum_t w_t L_t.
    """

    @abc.abstractmethod
    def combine(self, gradients: Any) -> Any:
        """(task, parameter) -> (parameter,)."""
