"""Architecture: the interface of all architectures."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

import keras
import numpy as np
from keras import ops

from models.architectures.encoded import Encoded, Wants
from models.architectures.growth import Growth
from models.architectures.task_info import TaskInfo
from models.layers.tower import Tower

REPRESENTATION = "/representation"
"""Key of the representation among the outputs. No task has this name."""
NO_LAYERS: Mapping[str, tuple[int, ...]] = MappingProxyType({})


class Architecture(keras.layers.Layer, abc.ABC):
    """Maps the encoded features to the logits of each task.

    Options of a subclass are keyword-only with literal defaults: `models.recipe.registry.signature` reads them from the
    source. Select the layers of a task by its position in `tasks`, never by its name: `click` must not match
    `click_cart`. Add regularization terms of the method by `add_loss`.

    Args:
        tasks: tasks in the order of the label columns.
        represents: whether the outputs have the representation, too: what the last layers of the served tasks read, for
            adversarial tasks and `RepresentationRegularizer`s.

    Attributes:
        user_once: whether a ranking request may compute the user's part of x once for all candidates. This requires that
            only layers with `kernel` and `bias` on the last axis read x. Otherwise a request computes each candidate in
            full. The contract test checks that both give the same predictions.
        needs_funnel: whether it passes on what one task knows to the task `after` it. A recipe without such tasks is
            refused.
        instead_of_funnel: name of an option that declares such relations itself; a recipe that sets it needs no funnel.

    Call: Encoded -> {task: (batch,) logits in float32, or (batch, outputs) if a task has several outputs}. A subclass
        returns `self.logits(...)` or `self.outputs(...)`, which add {REPRESENTATION: (batch, width)} if `represents`.
    """

    user_once: ClassVar[bool] = False
    needs_funnel: ClassVar[bool] = False
    instead_of_funnel: ClassVar[str] = ""

    def __init__(self, tasks: tuple[TaskInfo, ...], represents: bool = False, **layer: Any) -> None:
        super().__init__(**layer)
        self.represents = represents
        self.tasks = tuple(TaskInfo(**task) if isinstance(task, Mapping) else task for task in tasks)
        self.names = tuple(task.name for task in self.tasks)

    @abc.abstractmethod
    def call(self, inputs: Encoded, training: bool | None = None) -> dict[str, Any]:
        """Encoded -> {task: (batch,) logits}."""

    def wants(self) -> Wants:
        """Features that the architecture reads besides x."""
        return Wants()

    def task_kernels(self) -> list[list[keras.Variable]]:
        """Kernels that each task has of its own, once built: of each layer, the kernels of the tasks in their order.

        A `TaskRegularizer` relates them to each other, so that they have equal shapes and equal inputs or roles. By default
        the layers of `towers`, without those whose shapes differ, such as the last layer of a task with more logits.
        """
        return same_places(getattr(self, "towers", []))

    def gates(self, inputs: Encoded) -> dict[str, Any]:
        """Encoded -> {task: (batch, expert) gate weights}; {} for an architecture without gates."""
        return {}

    def expert_names(self, task: str, count: int) -> tuple[str, ...]:
        """Names of the experts of a task's gate weights, in their order. An expert of several tasks has one name.

        By default "1", "2" ...: all tasks have the same experts.

        Args:
            task: name of the task.
            count: number of its gate weights.
        """
        return tuple(str(number + 1) for number in range(count))

    def grows_after(self, rounds: int, stopped: bool) -> bool:
        """Whether the network may grow now. By default it never grows.

        Args:
            rounds: number of evaluations so far.
            stopped: whether the training is to stop, because its validation score has stopped falling.
        """
        return False

    def grown(self, margins: np.ndarray, observed: np.ndarray) -> Growth | None:
        """Grows the network, if the evidence is enough, without changing what it computes. None: it stays as it is.

        Called when `grows_after` says so. The trainer traces the network anew after a growth.

        Args:
            margins: (example, task) distances of the predictions from the labels of the validate split.
            observed: (example, task) bool. The other margins mean nothing.
        """
        return None

    def restored(self) -> None:
        """Called after the variables were read from a file: a network that grows takes its structure from them."""

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Builds a saved layer, whose shapes Keras stores as lists."""
        if "input_shape" in config:
            self.build(Encoded(*config["input_shape"]))

    def get_config(self) -> dict[str, Any]:
        tasks = [dataclasses.asdict(task) for task in self.tasks]
        return {**super().get_config(), "tasks": tasks, "represents": self.represents}

    def make_towers(
        self,
        units: tuple[int, ...],
        activation: str,
        dropout: float,
        by_task: Mapping[str, tuple[int, ...]] = NO_LAYERS,
    ) -> list[Tower]:
        """One tower per task, in the order of the tasks; `by_task` has the layers of tasks that do not have `units`."""
        return [
            Tower(
                by_task.get(task.name, units),
                outputs=task.outputs,
                activation=activation,
                dropout=dropout,
                name=f"{task.name}_tower",
                dtype=self.dtype_policy,
            )
            for task in self.tasks
        ]

    def logits(self, towers: list[Tower], inputs: list[Any], training: bool | None) -> dict[str, Any]:
        """The outputs of a call: applies each task's tower to its input (batch, dim)."""
        logits = [tower(x, training=training) for tower, x in zip(towers, inputs, strict=True)]
        return self.outputs(dict(zip(self.names, logits, strict=True)), inputs)

    def outputs(self, logits: dict[str, Any], read: Sequence[Any]) -> dict[str, Any]:
        """The outputs of a call.

        Args:
            logits: {task: logits}.
            read: what the last layers of each task read, (batch, width), in the order of the tasks. Tasks may share one.
        """
        if not self.represents:
            return logits
        of_served = {id(x): x for task, x in zip(self.tasks, read, strict=True) if task.served}
        return {**logits, REPRESENTATION: ops.concatenate(list(of_served.values()), axis=-1)}


def same_places(layers: Sequence[keras.layers.Layer]) -> list[list[keras.Variable]]:
    """Kernels at the same places of the tasks' layers: of each place, one kernel per layer. Omits places of unequal shapes."""
    kernels = [[variable for variable in layer.trainable_variables if variable.name == "kernel"] for layer in layers]
    return [list(place) for place in zip(*kernels, strict=False) if len({kernel.shape for kernel in place}) == 1]
