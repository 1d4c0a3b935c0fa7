"""FullyAdaptive: a network that all tasks share at first, and that branches from the top during training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import keras
import numpy as np
from keras import ops

from models.architectures.base import Architecture
from models.architectures.encoded import Encoded
from models.architectures.growth import Growth
from models.architectures.task_affinity import branch_affinity, grouped, task_affinity
from models.architectures.task_info import TaskInfo
from models.layers.dropout import Dropout as DropoutLayer
from models.layers.mlp import check_activation, check_sizes
from models.layers.stacked_dense import StackedDense
from models.recipe.errors import InputError

if TYPE_CHECKING:
    from models.recipe.option_types import (
        Activation,
        Dropout,
        ExpertCount,
        Layers,
        LayersOrNone,
        RoundCount,
        Strength,
    )


@keras.saving.register_keras_serializable(package="gatewise")
class FullyAdaptive(Architecture):
    """Shares all layers at first, and splits them from the top by the affinity of tasks during training; suits many tasks of unknown groups.

    h_l,b = activation(h_(l-1),parent(l,b) @ K_l,b + b_l,b)   (batch, units[l]), b = 0 ... branches of layer l
    logit_t = tower_t(h_L,branch(L,t)), for the last layer L

    Each layer has one branch at first. A phase of growth splits at most one layer, the highest that all tasks share:

    1. The affinity of two tasks is how far the same examples of the validate split are hard for both (`task_affinity`).
    2. The branches of the layer above (at the top: the tasks) are grouped into d <= `max_branches` groups by `grouped`,
       which weighs d - 1 against `separation` times how unlike the branches of a group are.
    3. The layer gets one branch per group, each with a copy of the weights: the predictions stay the same.

    So the branches are a tree: tasks that share a layer share all below it. A layer for which one group is the best is
    asked again in the next phase; those below wait. A phase is due after `first_growth` evaluations, then every
    `rounds_between`, and when early stopping is about to end the training. A growth starts the patience anew.

    Only the branches in use are computed, in training and in the exported model, and the step is compiled anew after a
    growth: a step takes as long as with `shared_bottom` at first, and twice as long with 2 branches under 4 of the default
    sizes. The kernels of all `max_branches` are in memory and in the checkpoint from the start. With a regularizer of
    the weights, the unused kernels take part in its loss, though not in the predictions.

    Lu et al., Fully-adaptive Feature Sharing in Multi-Task Networks with Applications in Person Attribute Classification,
    CVPR 2017 (https://arxiv.org/abs/1611.05377).
    Deviations: the affinity is corrected for chance. Groups come from hierarchical clustering with complete linkage, not
    from spectral clustering, so that they are the same in each run. A branch costs the same in each layer. The thin
    network starts at random, not from a wide trained one. The optimizer's slots are copied with the weights.

    Args:
        tasks: tasks in the order of the label columns.
        units: sizes of the layers, one or more.
        tower_units: sizes of the hidden layers of each task's tower.
        max_branches: largest number of branches of a layer.
        separation: weight of the unlikeness of the tasks of a branch, against a cost of 1 per further branch. Two groups of
            unrelated tasks, each of like tasks, split above 2. 0: the network never grows.
        first_growth: number of evaluations before the first phase.
        rounds_between: number of evaluations between two phases.
        activation: name of the activation.
        dropout: dropout rate of each layer.

    Raises:
        InputError: `units` is empty, a size is below 1, a rate is outside [0, 1), or an activation is unknown.
    """

    user_once: ClassVar[bool] = True

    def __init__(
        self,
        tasks: tuple[TaskInfo, ...],
        *,
        units: Layers = (256, 128),
        tower_units: LayersOrNone = (32,),
        max_branches: ExpertCount = 4,
        separation: Strength = 5.0,
        first_growth: RoundCount = 2,
        rounds_between: RoundCount = 2,
        activation: Activation = "relu",
        dropout: Dropout = 0.0,
        **layer: Any,
    ) -> None:
        super().__init__(tasks, **layer)
        if not units:
            raise InputError("fully_adaptive: expected at least one layer, received units=().")
        check_sizes("fully_adaptive", units, dropout)
        check_activation("fully_adaptive", activation)
        self.units = tuple(units)
        self.tower_units = tuple(tower_units)
        self.max_branches = max_branches
        self.separation = separation
        self.first_growth = first_growth
        self.rounds_between = rounds_between
        self.activation = activation
        self.dropout = dropout
        policy, copies = self.dtype_policy, min(max_branches, len(self.tasks))
        self.branches = ((0,) * len(self.tasks),) * len(self.units)
        """Of each layer the branch of each task, numbered from 0. The variable `branch` has the same for the checkpoint."""
        self.levels = [
            StackedDense(copies, size, activation=activation, name=f"level_{i}", dtype=policy)
            for i, size in enumerate(self.units)
        ]
        self.drop = [DropoutLayer(dropout, dtype=policy) for _ in self.units] if dropout else []
        self.towers = self.make_towers(self.tower_units, activation, dropout)

    def build(self, input_shape: Encoded) -> None:
        # Not int32, which TensorFlow places in host memory.
        self.branch = self.add_weight(
            shape=(len(self.units), len(self.tasks)),
            initializer="zeros",
            dtype="int64",
            trainable=False,
            autocast=False,
            name="branch",
        )
        self.branch.assign(np.array(self.branches))
        shape = input_shape.x
        for level in self.levels:
            level.build(shape)
            shape = level.compute_output_shape(shape)
        for tower in self.towers:
            tower.build((shape[0], self.units[-1]))

    def call(self, inputs: Encoded, training: bool | None = None) -> dict[str, Any]:
        x = inputs.x
        for i, level in enumerate(self.levels):
            tasks = [self.branches[i].index(branch) for branch in sorted(set(self.branches[i]))]  # one of each branch
            if i:
                x = read(x, [self.branches[i - 1][task] for task in tasks])
            x = level(x, first=len(tasks))  # (batch, branch, units[i])
            if self.drop:
                x = self.drop[i](x, training=training)
        return self.logits(self.towers, [x[:, branch] for branch in self.branches[-1]], training)

    def grows_after(self, rounds: int, stopped: bool) -> bool:
        due = rounds >= self.first_growth and (rounds - self.first_growth) % self.rounds_between == 0
        return (due or stopped) and self._next() is not None

    def grown(self, margins: np.ndarray, observed: np.ndarray) -> Growth | None:
        level = self._next()
        if level is None:
            return None
        above = self._above(level)
        members = [np.flatnonzero(np.equal(above, branch)).tolist() for branch in range(max(above) + 1)]
        affinity = branch_affinity(task_affinity(margins, observed), members)
        groups = grouped(affinity, self.max_branches, self.separation)
        count = int(groups.max()) + 1
        if count == 1:
            return None
        own = tuple(int(groups[branch]) for branch in above)
        self.branches = (*self.branches[:level], own, *self.branches[level + 1 :])
        self.branch.assign(np.array(self.branches))
        rows = np.arange(self.levels[level].experts)
        rows[:count] = 0
        return Growth(
            description={
                "layer": level,
                "branches": [
                    [name for name, its in zip(self.names, own, strict=True) if its == i] for i in range(count)
                ],
            },
            rows=tuple((variable, rows) for variable in self.levels[level].trainable_variables),
        )

    def restored(self) -> None:
        self.branches = tuple(tuple(int(one) for one in row) for row in ops.convert_to_numpy(self.branch))

    def _next(self) -> int | None:
        """The highest layer that all tasks share, if the one above has branches; None if there is none."""
        shared = [level for level, branches in enumerate(self.branches) if max(branches) == 0]
        return shared[-1] if shared and max(self._above(shared[-1])) > 0 and self.max_branches > 1 else None

    def _above(self, level: int) -> tuple[int, ...]:
        """The branch of each task in the layer above; a tower is a branch of its own."""
        return self.branches[level + 1] if level + 1 < len(self.branches) else tuple(range(len(self.tasks)))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "tower_units": self.tower_units,
            "max_branches": self.max_branches,
            "separation": self.separation,
            "first_growth": self.first_growth,
            "rounds_between": self.rounds_between,
            "activation": self.activation,
            "dropout": self.dropout,
            "branches": self.branches,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> FullyAdaptive:
        """The network with its branches, which are no option: a saved network has those it has grown."""
        made = cls(**{name: value for name, value in config.items() if name != "branches"})
        made.branches = tuple(tuple(row) for row in config["branches"])
        return made


def read(x: Any, parents: list[int]) -> Any:
    """(batch, branch, dim) -> the outputs of `parents`, (batch, len(parents), dim), or (batch, dim) if there is one parent."""
    if len(set(parents)) == 1:
        return x[:, parents[0]]
    return x if parents == list(range(x.shape[1])) else ops.stack([x[:, parent] for parent in parents], axis=1)
