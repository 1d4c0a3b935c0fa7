"""PLE: levels of task-specific and shared experts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import keras
from keras import ops

from models.architectures.base import Architecture
from models.architectures.encoded import Encoded
from models.architectures.expert_names import ALL, numbered
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
class CGCLevel(keras.layers.Layer):
    """One level of PLE: task experts, shared experts and gates over them (customized gate control).

    out_t = sum_e gate_t(x_t)[e] experts_e, over the experts of task t (on x_t), then the shared ones (on x_shared);
    out_shared = the same with gate_shared(x_shared), over the experts of all tasks in order, then the shared ones.

    Args:
        tasks: number of tasks.
        task_experts: number of experts of each task.
        shared_experts: number of experts shared by all tasks.
        units: sizes of the layers of each expert.
        top: whether this is the top level, which has no shared output and no shared gate.
        activation: name of the activation.
        dropout: dropout rate of each layer.
        gating: options of each `Gate`.

    Call: a list of (batch, dim), one per task and then the shared one -> the same list, without the shared one at the
        top level.
    """

    def __init__(
        self,
        tasks: int,
        task_experts: int,
        shared_experts: int,
        units: tuple[int, ...],
        *,
        top: bool,
        activation: str = "relu",
        dropout: float = 0.0,
        gating: Mapping[str, Any] | None = None,
        **layer: Any,
    ) -> None:
        super().__init__(**layer)
        self.tasks = tasks
        self.task_experts = task_experts
        self.shared_experts = shared_experts
        self.units = tuple(units)
        self.top = top
        self.activation = activation
        self.dropout = dropout
        self.gating = dict(gating or {})
        counts = [task_experts] * tasks + [shared_experts]
        self.experts = [
            Experts(count, self.units, activation=activation, dropout=dropout, dtype=self.dtype_policy)
            for count in counts
        ]
        policy = self.dtype_policy
        self.task_gates = [Gate(task_experts + shared_experts, **self.gating, dtype=policy) for _ in range(tasks)]
        self.shared_gate = None if top else Gate(sum(counts), **self.gating, name="shared_gate", dtype=policy)

    def build(self, input_shape: list[tuple[int | None, ...]]) -> None:
        for experts, shape in zip(self.experts, input_shape, strict=True):
            experts.build(shape)
        for gate, shape in zip(self.task_gates, input_shape[:-1], strict=True):
            gate.build(shape)
        if self.shared_gate is not None:
            self.shared_gate.build(input_shape[-1])

    def call(self, inputs: list[Any], training: bool | None = None) -> list[Any]:
        experts = [layer(x, training=training) for layer, x in zip(self.experts, inputs, strict=True)]
        outputs = [
            mix(gate(inputs[task], training=training), ops.concatenate([experts[task], experts[-1]], axis=1))
            for task, gate in enumerate(self.task_gates)
        ]
        if self.shared_gate is not None:
            shared = self.shared_gate(inputs[-1], training=training)
            outputs.append(mix(shared, ops.concatenate(experts, axis=1)))
        return outputs

    def compute_output_shape(self, input_shape: list[tuple[int | None, ...]]) -> list[tuple[int | None, ...]]:
        return [(input_shape[0][0], self.units[-1])] * (self.tasks + (not self.top))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "tasks": self.tasks,
            "task_experts": self.task_experts,
            "shared_experts": self.shared_experts,
            "units": self.units,
            "top": self.top,
            "activation": self.activation,
            "dropout": self.dropout,
            "gating": dict(self.gating),
        }


@keras.saving.register_keras_serializable(package="gatewise")
class PLE(Architecture):
    """Stacks levels of task-specific and shared experts; suits tasks that lose accuracy when trained together under MMoE.

    Tang et al., Progressive Layered Extraction (PLE), RecSys 2020 (https://doi.org/10.1145/3383313.3412236).
    Every level except the top also mixes a shared output from all experts, which is the input of the next level's shared
    experts. One level is the paper's CGC. Deviation: the gates have a bias.

    Args:
        tasks: tasks in the order of the label columns.
        levels: number of levels.
        task_experts: number of experts of each task, per level.
        shared_experts: number of shared experts, per level.
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
        shared_experts: ExpertCount = 2,
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
            raise InputError(f"ple: expected 1 level or more, received levels={levels}.")
        self.levels = levels
        self.task_experts = task_experts
        self.shared_experts = shared_experts
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
        self.extraction = [
            CGCLevel(
                len(self.tasks),
                task_experts,
                shared_experts,
                self.units,
                top=level == levels - 1,
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
        shapes = [shape] * (len(self.tasks) + 1)
        for level in self.extraction:
            level.build(shapes)
            shapes = level.compute_output_shape(shapes)
        for tower, shape in zip(self.towers, shapes, strict=True):
            tower.build(shape)

    def call(self, inputs: Encoded, training: bool | None = None) -> dict[str, Any]:
        mixed = [inputs.x] * (len(self.tasks) + 1)
        for level in self.extraction:
            mixed = level(mixed, training=training)
        return self.logits(self.towers, mixed, training)

    def gates(self, inputs: Encoded) -> dict[str, Any]:
        """{task: (batch, task_experts + shared_experts)} gate weights of the top level, the task's own experts first."""
        mixed = [inputs.x] * (len(self.tasks) + 1)
        for level in self.extraction[:-1]:
            mixed = level(mixed, training=False)
        top = self.extraction[-1].task_gates
        return {task: gate.of(mixed[i]) for i, (task, gate) in enumerate(zip(self.names, top, strict=True))}

    def expert_names(self, task: str, count: int) -> tuple[str, ...]:
        return numbered({task: self.task_experts, ALL: self.shared_experts})

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "levels": self.levels,
            "task_experts": self.task_experts,
            "shared_experts": self.shared_experts,
            "units": self.units,
            "tower_units": self.tower_units,
            "activation": self.activation,
            "dropout": self.dropout,
            **self.gating,
        }
