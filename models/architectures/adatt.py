"""AdaTT: levels of task-specific experts that each task fuses with its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import keras
from keras import ops

from models.architectures.base import Architecture
from models.architectures.encoded import Encoded
from models.architectures.expert_names import numbered
from models.architectures.task_info import TaskInfo
from models.layers.experts import Experts
from models.layers.gate import Gate, mix
from models.recipe.errors import InputError

if TYPE_CHECKING:
    from models.recipe.option_types import (
        Activation,
        Dropout,
        ExpertCount,
        GateName,
        Layers,
        LayersOrNone,
        Levels,
        Strength,
    )


@keras.saving.register_keras_serializable(package="gatewise")
class FusionLevel(keras.layers.Layer):
    """One level of AdaTT: the experts of each task, and their fusion for each task.

    out_t = sum_i native_t[i] expert_{t,i}(x_t) + sum_e gate_t(x_t)[e] expert_e, with e over the experts of all tasks in
    order. The first sum is over the task's own experts, with weights that do not depend on the example.

    Args:
        tasks: number of tasks.
        task_experts: number of experts of each task.
        units: sizes of the layers of each expert.
        activation: name of the activation.
        dropout: dropout rate of each layer.
        gating: options of each `Gate`.

    Call: one (batch, dim) for all tasks, or a list with one per task -> a list of (batch, units[-1]), one per task.
    """

    def __init__(
        self,
        tasks: int,
        task_experts: int,
        units: tuple[int, ...],
        *,
        activation: str = "relu",
        dropout: float = 0.0,
        gating: Mapping[str, Any] | None = None,
        **layer: Any,
    ) -> None:
        super().__init__(**layer)
        self.tasks = tasks
        self.task_experts = task_experts
        self.units = tuple(units)
        self.activation = activation
        self.dropout = dropout
        self.gating = dict(gating or {})
        policy, count = self.dtype_policy, tasks * task_experts
        self.experts = Experts(count, self.units, activation=activation, dropout=dropout, name="experts", dtype=policy)
        self.task_gates = [Gate(count, **self.gating, dtype=policy) for _ in range(tasks)]

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        start = keras.initializers.Constant(1.0 / self.task_experts)
        self.native = [
            self.add_weight(shape=(self.task_experts,), initializer=start, name=f"native_{task}")
            for task in range(self.tasks)
        ]
        self.experts.build(input_shape)
        for gate in self.task_gates:
            gate.build(input_shape)

    def call(self, x: Any, training: bool | None = None) -> Any:
        if isinstance(x, list):
            experts = self.experts(ops.repeat(ops.stack(x, axis=1), self.task_experts, axis=1), training=training)
        else:
            x, experts = [x] * self.tasks, self.experts(x, training=training)  # (batch, expert, dim)
        outputs = []  # not in one tensor, where each task would seem to move the gates of all
        for task, (gate, native) in enumerate(zip(self.task_gates, self.native, strict=True)):
            own = experts[:, task * self.task_experts : (task + 1) * self.task_experts]
            outputs.append(mix(gate(x[task], training=training), experts) + ops.einsum("e,bed->bd", native, own))
        return outputs

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "tasks": self.tasks,
            "task_experts": self.task_experts,
            "units": self.units,
            "activation": self.activation,
            "dropout": self.dropout,
            "gating": dict(self.gating),
        }


@keras.saving.register_keras_serializable(package="gatewise")
class AdaTT(Architecture):
    """Adds the experts of all tasks to a task's own by a gate, on each level; suits tasks of which only some are related.

    h_t = sum_i native_t[i] expert_{t,i}(h_t) + sum_e gate_t(h_t)[e] expert_e, per level, with e over the experts of all
    tasks in order; h_t = x below the first level, and logit_t = tower_t(h_t) above the last.

    Li et al., AdaTT: Adaptive Task-to-Task Fusion Network for Multitask Learning in Recommendations, KDD 2023
    (https://arxiv.org/abs/2304.04959): its AdaTT-sp, which has no shared experts. Deviations: the gates have a bias, and
    the weights native_t start at 1 / number of a task's experts; the paper draws them, and fixes a single one at 1.

    Args:
        tasks: tasks in the order of the label columns.
        levels: number of levels.
        task_experts: number of experts of each task, per level.
        units: sizes of the layers of each expert, the same on each level.
        tower_units: sizes of the hidden layers of each task's tower.
        activation: name of the activation.
        dropout: dropout rate of each layer.
        gate: "softmax", "top_k" (the k largest weights of an example) or "dselect_k" (learns which k).
        k: number of experts that a sparse gate gives a weight above 0, at most the experts of a gate.
        gate_dropout: probability of dropping an expert of an example in training.
        load_balance: factor of a loss term, the squared coefficient of variation of the experts' mean weights, per gate.
        gate_entropy: factor of the loss term by which dselect_k comes to select exactly k experts.

    Raises:
        InputError: `levels` is below 1.
    """

    user_once: ClassVar[bool] = True

    def __init__(
        self,
        tasks: tuple[TaskInfo, ...],
        *,
        levels: Levels = 2,
        task_experts: ExpertCount = 2,
        units: Layers = (64,),
        tower_units: LayersOrNone = (32,),
        activation: Activation = "relu",
        dropout: Dropout = 0.0,
        gate: GateName = "softmax",
        k: ExpertCount = 2,
        gate_dropout: Dropout = 0.0,
        load_balance: Strength = 0.0,
        gate_entropy: Strength = 0.01,
        **layer: Any,
    ) -> None:
        super().__init__(tasks, **layer)
        if levels < 1:
            raise InputError(f"adatt: expected 1 level or more, received levels={levels}.")
        self.levels = levels
        self.task_experts = task_experts
        self.units = tuple(units)
        self.tower_units = tuple(tower_units)
        self.activation = activation
        self.dropout = dropout
        self.gating: dict[str, Any] = {
            "gate": gate,
            "k": k,
            "gate_dropout": gate_dropout,
            "load_balance": load_balance,
            "gate_entropy": gate_entropy,
        }
        self.fusion = [
            FusionLevel(
                len(self.tasks),
                task_experts,
                self.units,
                activation=activation,
                dropout=dropout,
                gating=self.gating,
                name=f"level_{level}",
                dtype=self.dtype_policy,
            )
            for level in range(levels)
        ]
        self.towers = self.make_towers(self.tower_units, activation, dropout)

    def build(self, input_shape: Encoded) -> None:
        shape = input_shape.x
        for level in self.fusion:
            level.build(shape)
            shape = (shape[0], self.units[-1])
        for tower in self.towers:
            tower.build(shape)

    def call(self, inputs: Encoded, training: bool | None = None) -> dict[str, Any]:
        fused = inputs.x
        for level in self.fusion:
            fused = level(fused, training=training)
        return self.logits(self.towers, fused, training)

    def gates(self, inputs: Encoded) -> dict[str, Any]:
        """{task: (batch, expert)} gate weights of the top level, over the experts of all tasks in order."""
        fused = inputs.x
        for level in self.fusion[:-1]:
            fused = level(fused, training=False)
        read = fused if isinstance(fused, list) else [fused] * len(self.tasks)
        gates = self.fusion[-1].task_gates
        return {task: gate.of(x) for task, gate, x in zip(self.names, gates, read, strict=True)}

    def expert_names(self, task: str, count: int) -> tuple[str, ...]:
        return numbered(dict.fromkeys(self.names, self.task_experts))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "levels": self.levels,
            "task_experts": self.task_experts,
            "units": self.units,
            "tower_units": self.tower_units,
            "activation": self.activation,
            "dropout": self.dropout,
            **self.gating,
        }
