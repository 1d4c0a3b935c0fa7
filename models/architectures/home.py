"""HoME: experts of all tasks, of groups of tasks and of single tasks, on two levels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from models.architectures.base import Architecture
from models.architectures.encoded import Encoded
from models.architectures.expert_names import ALL, numbered
from models.architectures.task_info import TaskInfo
from models.layers.feature_gate import FeatureGate
from models.layers.gate import Gate, mix
from models.layers.normalized_experts import NormalizedExperts
from models.recipe.errors import InputError

if TYPE_CHECKING:
    from models.recipe.option_types import (
        Activation,
        Dropout,
        ExpertCount,
        Layers,
        LayersOrNone,
        Size,
        TaskGroups,
    )


@keras.saving.register_keras_serializable(package="gatewise")
class GatedExperts(keras.layers.Layer):
    """Normalized experts, each of which scales its input by a feature gate.

    Args:
        experts: number of experts.
        units: sizes of the layers of each expert.
        rank: rank of the feature gates.
        activation: name of the activation.
        dropout: dropout rate of each layer.

    Call: (batch, in) -> (batch, expert, units[-1]).
    """

    def __init__(
        self,
        experts: int,
        units: tuple[int, ...],
        *,
        rank: int,
        activation: str = "silu",
        dropout: float = 0.0,
        **layer: Any,
    ) -> None:
        super().__init__(**layer)
        self.experts = experts
        self.units = tuple(units)
        self.rank = rank
        self.activation = activation
        self.dropout = dropout
        policy = self.dtype_policy
        self.feature_gate = FeatureGate(experts, rank, name="feature_gate", dtype=policy)
        self.mlps = NormalizedExperts(
            experts, self.units, activation=activation, dropout=dropout, name="mlps", dtype=policy
        )

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.feature_gate.build(input_shape)
        self.mlps.build(self.feature_gate.compute_output_shape(input_shape))

    def call(self, x: Any, training: bool | None = None) -> Any:
        return self.mlps(self.feature_gate(x), training=training)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], self.experts, self.units[-1])

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "experts": self.experts,
            "units": self.units,
            "rank": self.rank,
            "activation": self.activation,
            "dropout": self.dropout,
        }


@keras.saving.register_keras_serializable(package="gatewise")
class HoME(Architecture):
    """Shares experts between all tasks, and within declared groups of them; suits many tasks in groups, some with few positives.

    Level 1, on x, for each group g and for the shared state (s):
    z_g = sum_e gate_g(x)[e] E_e + sum_i self_g(x)[i] E_{g,i}, with e over the experts of the group and the shared ones;
    z_s = the same with gate_s and self_s, with e over the experts of all groups and the shared ones, and i over the latter.

    Level 2: h_t = sum_e gate_t([z_g, z_s])[e] E_e + sum_i self_t(z_g)[i] E_{t,i}, with e over the experts of the task and
    of its group g, both on z_g, and the shared ones on z_s; logit_t = tower_t(h_t).

    Expert: E_e(v) = swish(normalization(W_e (2 sigmoid(v A_e B_e) v))), whose feature gate has a low rank. A self gate is
    a softmax, or a sigmoid for one expert: a task with few positives trains its own experts even if its gate ignores them.
    Each expert reads a copy of its input that its feature gate scales, which takes longer than the rest of the network.

    Wang et al., HoME: Hierarchy of Multi-Gate Experts for Multi-Task Learning at Kuaishou, KDD 2025
    (https://arxiv.org/abs/2408.05430). Deviations: layer normalization in place of batch normalization, so that no example
    depends on others; one low-rank feature gate per expert, not a mixture of several; gates are one layer with a bias.

    Args:
        tasks: tasks in the order of the label columns.
        groups: names of the tasks of each group; every task is in one group. (): one group with all tasks.
        experts: number of shared experts, of experts of each group and of experts of each task, on each level.
        units: sizes of the layers of each expert, the same on both levels.
        tower_units: sizes of the hidden layers of each task's tower.
        feature_rank: rank of the feature gates, 1 or more.
        activation: name of the activation of experts and towers; silu is swish.
        dropout: dropout rate of each layer.

    Raises:
        InputError: a task is in no group or in several, or a group names no task.
    """

    def __init__(
        self,
        tasks: tuple[TaskInfo, ...],
        *,
        groups: TaskGroups = (),
        experts: ExpertCount = 2,
        units: Layers = (64,),
        tower_units: LayersOrNone = (32,),
        feature_rank: Size = 8,
        activation: Activation = "silu",
        dropout: Dropout = 0.0,
        **layer: Any,
    ) -> None:
        super().__init__(tasks, **layer)
        self.groups = tuple(map(tuple, groups))
        self.group_of = positions_of_groups(self.names, self.groups)
        self.experts = experts
        self.units = tuple(units)
        self.tower_units = tuple(tower_units)
        self.feature_rank = feature_rank
        self.activation = activation
        self.dropout = dropout
        count = max(self.group_of) + 1
        # Level 1: one stack, because the shared state passes all of these experts on to all tasks.
        self.meta = self._experts("meta_experts", count=(count + 1) * experts)
        self.meta_gates = [self._gate(2 * experts, f"meta_gate_{group}") for group in range(count)]
        self.meta_gates.append(self._gate((count + 1) * experts, "meta_gate_shared"))
        self.meta_self_gates = [self._self_gate(f"meta_self_gate_{group}") for group in (*range(count), "shared")]
        # Level 2
        self.of_tasks = [self._experts(f"{task}_experts") for task in self.names]
        self.task_gates = [self._gate(3 * experts, f"{task}_gate") for task in self.names]
        self.self_gates = [self._self_gate(f"{task}_self_gate") for task in self.names]
        self.of_groups = [self._experts(f"group_{group}_experts") for group in range(count)]
        self.shared = self._experts("experts")
        self.towers = self.make_towers(self.tower_units, activation, dropout)

    def _experts(self, name: str, count: int | None = None) -> GatedExperts:
        return GatedExperts(
            count or self.experts,
            self.units,
            rank=self.feature_rank,
            activation=self.activation,
            dropout=self.dropout,
            name=name,
            dtype=self.dtype_policy,
        )

    def _gate(self, experts: int, name: str) -> Gate:
        return Gate(experts, name=name, dtype=self.dtype_policy)

    def _self_gate(self, name: str) -> keras.layers.Layer:
        if self.experts == 1:
            return keras.layers.Dense(1, "sigmoid", name=name, dtype="float32")
        return self._gate(self.experts, name)

    def build(self, input_shape: Encoded) -> None:
        shape = input_shape.x
        state, both = (shape[0], self.units[-1]), (shape[0], 2 * self.units[-1])
        for layer in (self.meta, *self.meta_gates, *self.meta_self_gates):
            layer.build(shape)
        for layer in (*self.of_tasks, *self.self_gates, *self.of_groups, self.shared, *self.towers):
            layer.build(state)
        for gate in self.task_gates:
            gate.build(both)

    def call(self, inputs: Encoded, training: bool | None = None) -> dict[str, Any]:
        *states, shared = self._states(inputs.x, training)
        of_groups = [layer(z, training=training) for layer, z in zip(self.of_groups, states, strict=True)]
        of_all = self.shared(shared, training=training)
        mixed = []
        for task, group in enumerate(self.group_of):
            z, own = states[group], self.of_tasks[task](states[group], training=training)
            experts = ops.concatenate([own, of_groups[group], of_all], axis=1)
            shares = self.task_gates[task](ops.concatenate([z, shared], axis=-1))
            mixed.append(mix(shares, experts) + mix(self._cast(self.self_gates[task](z)), own))
        return self.logits(self.towers, mixed, training)

    def _states(self, x: Any, training: bool | None) -> list[Any]:
        """(batch, dim) outputs of the first level: of each group, then the shared one."""
        experts, k = self.meta(x, training=training), self.experts  # the groups' experts, then the shared ones
        parts = [experts[:, first : first + k] for first in range(0, experts.shape[1], k)]
        read = [ops.concatenate([own, parts[-1]], axis=1) for own in parts[:-1]]
        return [
            mix(gate(x), seen) + mix(self._cast(of_self(x)), own)
            for gate, of_self, seen, own in zip(
                self.meta_gates, self.meta_self_gates, [*read, experts], parts, strict=True
            )
        ]

    def _cast(self, shares: Any) -> Any:
        return ops.cast(shares, self.compute_dtype)

    def gates(self, inputs: Encoded) -> dict[str, Any]:
        """{task: (batch, 3 experts)} gate weights of the second level: experts of the task, of its group, of all tasks."""
        *states, shared = self._states(inputs.x, training=False)
        return {
            task: gate.of(ops.concatenate([states[group], shared], axis=-1))
            for task, gate, group in zip(self.names, self.task_gates, self.group_of, strict=True)
        }

    def expert_names(self, task: str, count: int) -> tuple[str, ...]:
        group = f"group {self.group_of[self.names.index(task)] + 1}"
        return numbered(dict.fromkeys((task, group, ALL), self.experts))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "groups": self.groups,
            "experts": self.experts,
            "units": self.units,
            "tower_units": self.tower_units,
            "feature_rank": self.feature_rank,
            "activation": self.activation,
            "dropout": self.dropout,
        }


def positions_of_groups(tasks: tuple[str, ...], groups: tuple[tuple[str, ...], ...]) -> tuple[int, ...]:
    """Position of each task's group.

    Raises:
        InputError: a task is in no group or in several, or a group names no task.
    """
    if not groups:
        return (0,) * len(tasks)
    named = sorted(task for group in groups for task in group)
    if named != sorted(tasks) or not all(groups):
        raise InputError(
            f"home: expected groups that name each of the tasks {', '.join(tasks)} once, received "
            f"{[list(group) for group in groups]}. Without groups, all tasks are in one."
        )
    return tuple(next(i for i, group in enumerate(groups) if task in group) for task in tasks)
