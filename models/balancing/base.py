"""The two types of balancer, which the training step tells apart by type and never by name."""

from __future__ import annotations

import abc
from typing import Any, ClassVar, Literal

import keras

from models.balancing.evidence import Evidence


class Balancer(keras.layers.Layer, abc.ABC):
    """What both types have: the tasks, their fixed weights, and state in Keras variables, so that it is checkpointed.

    Options of a subclass are keyword-only, with literal defaults. A variable that the balancer moves by itself, and no
    gradient of the step, has `trainable=False` and `aggregation="only_first_replica"`.

    Attributes:
        over: the variables whose gradients, one for each task, the balancer wants to see. "shared": those of the
            architecture that more than one task moves. "last_shared": of these, the last layer's. None: no gradients.
            Which variables these are is found by `models.training.sharing`.
        needs_non_negative: whether a loss below 0 breaks it. A recipe with such a loss is refused.

    Args:
        tasks: names of the tasks, in the order of the losses.
        weights: the recipe's weight of each task, kept as `task_weights`.
    """

    over: ClassVar[Literal["shared", "last_shared"] | None] = None
    needs_non_negative: ClassVar[bool] = False

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

    The gradient also flows through the weights into the losses and whatever else they depend on, but not into
    `evidence.gradients`: weights that are computed from the losses and not meant to be differentiated belong behind
    `keras.ops.stop_gradient`.

    Call: evidence=Evidence -> (task,) weights, the fixed task weights included. (`weights` is Keras' list of variables.)
    """

    @abc.abstractmethod
    def weigh(self, evidence: Evidence) -> Any:
        """(task,)."""

    def call(self, evidence: Evidence) -> Any:
        return self.weigh(evidence)


class GradientCombiner(Balancer):
    """A balancer that makes one gradient of the tasks' gradients over the variables that `over` names.

    All other variables, the embedding tables among them, get the gradient of sum_t w_t L_t. An architecture without
    such variables is trained on that sum alone, and `combine` is never called.
    """

    over = "shared"

    @abc.abstractmethod
    def combine(self, evidence: Evidence) -> Any:
        """(parameter,)."""
