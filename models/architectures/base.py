"""Architecture: the interface of every way to share a network between tasks."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

import keras

from models.architectures.encoded import Encoded, Wants
from models.architectures.task_info import TaskInfo
from models.layers.tower import Tower


class Architecture(keras.layers.Layer, abc.ABC):
    """From the encoded features to the logits of each task.

    Options of a subclass are keyword-only, with literal defaults: `models.recipe.registry.signature` reads them from the
    source. A task's own parts are found by its position in `tasks`, never by its name: `click` must not take
    what belongs to `click_cart`. A penalty that belongs to the method goes through `add_loss`.

    Args:
        tasks: in the order of the label columns.

    Attributes:
        user_once: whether the user's part of x may be computed once for all candidates of a ranking request: whatever
            reads x is a layer with `kernel` and `bias` on its last axis, and nothing else does. Without it a request
            is answered candidate by candidate. The contract test holds whoever says so to the same predictions.
        needs_funnel: whether it passes on what one task knows to the task `after` it. A recipe without such tasks is
            refused.

    Call: Encoded -> {task: (batch,) logits in float32, or (batch, outputs) where a task has several}.
    """

    user_once: ClassVar[bool] = False
    needs_funnel: ClassVar[bool] = False

    def __init__(self, tasks: tuple[TaskInfo, ...], **layer: Any) -> None:
        super().__init__(**layer)
        self.tasks = tuple(TaskInfo(**task) if isinstance(task, Mapping) else task for task in tasks)
        self.names = tuple(task.name for task in self.tasks)

    @abc.abstractmethod
    def call(self, inputs: Encoded, training: bool | None = None) -> dict[str, Any]:
        """Encoded -> {task: (batch,) logits}."""

    def wants(self) -> Wants:
        """What it reads beside x."""
        return Wants()

    def gates(self, inputs: Encoded) -> dict[str, Any]:
        """Encoded -> {task: (batch, expert) weight of each expert}; {} where there are no gates."""
        return {}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Keras keeps the shapes of a saved layer as lists."""
        if "input_shape" in config:
            self.build(Encoded(*config["input_shape"]))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "tasks": [dataclasses.asdict(task) for task in self.tasks]}

    def make_towers(self, units: tuple[int, ...], activation: str, dropout: float) -> list[Tower]:
        """A tower for each task, in the order of the tasks."""
        return [
            Tower(
                units,
                outputs=task.outputs,
                activation=activation,
                dropout=dropout,
                name=f"{task.name}_tower",
                dtype=self.dtype_policy,
            )
            for task in self.tasks
        ]

    def logits(self, towers: list[Tower], inputs: list[Any], training: bool | None) -> dict[str, Any]:
        """Each task's tower on its own input (batch, dim)."""
        return {task: tower(x, training=training) for task, tower, x in zip(self.names, towers, inputs, strict=True)}
