"""Objectives: those of all tasks that have one, with their networks and their shares of effective examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from models.layers.tower import Tower
from models.objectives import OBJECTIVES
from models.objectives.base import Given, Objective
from models.recipe.registry import load, path_of
from models.training.logged_names import EFFECTIVE_SHARE_OF

UNITS = (64, 32)
"""Hidden layers of a tower."""


@keras.saving.register_keras_serializable(package="gatewise")
class Objectives(keras.layers.Layer):
    """The objectives of the tasks, and the towers that they have besides those of the tasks.

    Args:
        names: {task: name in OBJECTIVES, or the dotted path of an Objective in another package}.
        options: {task: options of its objective}.
        funnels: {task: the tasks before it, from the first to the one that it is conditioned on}.

    Call: (batch, width) representation -> {task: {tower: (batch,) outputs}}.
    """

    def __init__(
        self,
        names: Mapping[str, str],
        options: Mapping[str, Mapping[str, Any]],
        funnels: Mapping[str, Sequence[str]],
        **layer: Any,
    ) -> None:
        super().__init__(**layer)
        self.names, self.options = dict(names), {task: dict(options.get(task, {})) for task in names}
        self.funnels = {task: tuple(funnels[task]) for task in names}
        self.by_task = {task: made_objective(name, self.options[task]) for task, name in names.items()}
        self.keys = [(task, tower) for task, one in self.by_task.items() for tower in one.towers]
        self.towers = [Tower(UNITS, name=f"{task}_{tower}", dtype=self.dtype_policy) for task, tower in self.keys]
        self.shares = {
            task: EffectiveShare(name=f"{EFFECTIVE_SHARE_OF}{task}")
            for task, one in self.by_task.items()
            if type(one).importance is not Objective.importance
        }

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        for tower in self.towers:
            tower.build(input_shape)

    def call(self, representation: Any, training: bool | None = None) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {task: {} for task in self.by_task}
        for (task, name), tower in zip(self.keys, self.towers, strict=True):
            found[task][name] = tower(representation, training=training)
        return found

    def get_config(self) -> dict[str, Any]:
        own = {"names": self.names, "options": self.options, "funnels": self.funnels}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(package="gatewise")
class EffectiveShare(keras.metrics.Metric):
    """(sum w)^2 / (n sum w^2) over the n reached examples of an epoch, with their importance weights w; 0 without any."""

    def __init__(self, **metric: Any) -> None:
        super().__init__(**metric)
        self.sums = [
            self.add_variable(shape=(), initializer="zeros", name=name) for name in ("count", "total", "squares")
        ]

    def update_state(self, importance: Any, given: Given) -> None:
        """Takes a step in.

        Args:
            importance: (batch,), 0 where not reached.
            given: the tasks before the task.
        """
        counted = ops.cast(ops.logical_and(given.reached, given.weights > 0), "float32")
        weights = importance * counted
        for variable, added in zip(self.sums, (counted, weights, ops.square(weights)), strict=True):
            variable.assign(variable + ops.sum(added))

    def result(self) -> Any:
        count, total, squares = (ops.convert_to_tensor(variable) for variable in self.sums)
        product = count * squares
        return ops.where(product > 0, ops.square(total) / ops.where(product > 0, product, 1.0), 0.0)


def made_objective(name: str, options: Mapping[str, Any]) -> Objective:
    """The objective with a name in OBJECTIVES, or at a dotted path, with its options."""
    objective: Objective = load(path_of(name, OBJECTIVES, "objective"))(**options)
    return objective
