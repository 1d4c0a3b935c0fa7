"""STEM: embeddings of its own for each task beside the shared ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from models.architectures.base import Architecture
from models.architectures.encoded import Encoded, Wants
from models.architectures.expert_names import ALL, numbered
from models.architectures.task_info import TaskInfo
from models.layers.experts import Experts
from models.layers.gate import Gate, mix

if TYPE_CHECKING:
    from models.recipe.option_types import (
        Activation,
        Dropout,
        ExpertCount,
        GateName,
        Layers,
        LayersOrNone,
        Strength,
    )


@keras.saving.register_keras_serializable(package="gatewise")
class STEM(Architecture):
    """Gives each task embeddings and experts of its own beside shared ones; suits tasks for which one user or item means different things.

    logit_t = tower_t(sum_e gate_t(x_t)[e] h_e), over the experts of all tasks in order, then the shared experts.
    h_e = expert_e(x_s) of task s, with a stopped gradient if s is not t, or expert_e(x) if it is shared.

    x and x_t are the shared embeddings and those of task t. A task reads the experts of the other tasks but does not train
    them, so no task moves another's embeddings or experts. The embedding tables are 1 + number of tasks times as wide:
    so are their memory and the time to read and update them.

    Su et al., STEM: Unleashing the Power of Embeddings for Multi-task Recommendation, AAAI 2024
    (https://arxiv.org/abs/2308.13537). Deviations: one level of experts, and the gates have a bias.

    Args:
        tasks: tasks in the order of the label columns.
        task_experts: number of experts of each task.
        shared_experts: number of shared experts.
        units: sizes of the layers of each expert.
        tower_units: sizes of the hidden layers of each task's tower.
        activation: name of the activation.
        dropout: dropout rate of each layer.
        gate: "softmax", "top_k" (the k largest weights of an example) or "dselect_k" (learns which k).
        k: number of experts that a sparse gate gives a weight above 0, at most the experts of a gate.
        gate_dropout: probability of dropping an expert of an example in training.
        load_balance: factor of a loss term, the squared coefficient of variation of the experts' mean weights, per gate.
        gate_entropy: factor of the loss term by which dselect_k comes to select exactly k experts.
    """

    def __init__(
        self,
        tasks: tuple[TaskInfo, ...],
        *,
        task_experts: ExpertCount = 1,
        shared_experts: ExpertCount = 1,
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
        policy = self.dtype_policy
        names = [*(f"{task}_experts" for task in self.names), "experts"]
        counts = [task_experts] * len(self.tasks) + [shared_experts]
        self.experts = [
            Experts(count, self.units, activation=activation, dropout=dropout, name=name, dtype=policy)
            for name, count in zip(names, counts, strict=True)
        ]
        self.task_gates = [Gate(sum(counts), **self.gating, name=f"{task}_gate", dtype=policy) for task in self.names]
        self.towers = self.make_towers(self.tower_units, activation, dropout)

    def wants(self) -> Wants:
        return Wants(tables_by_task=True)

    def build(self, input_shape: Encoded) -> None:
        for experts in self.experts:
            experts.build(input_shape.x)
        for gate, tower in zip(self.task_gates, self.towers, strict=True):
            gate.build(input_shape.x)
            tower.build((input_shape.x[0], self.units[-1]))

    def call(self, inputs: Encoded, training: bool | None = None) -> dict[str, Any]:
        own = [inputs.by_task[task] for task in range(len(self.tasks))]
        *of_tasks, shared = [
            experts(x, training=training) for experts, x in zip(self.experts, [*own, inputs.x], strict=True)
        ]  # (batch, expert, dim)
        stopped = [ops.stop_gradient(experts) for experts in of_tasks]
        mixed = [
            mix(
                gate(own[task], training=training),
                ops.concatenate([*stopped[:task], of_tasks[task], *stopped[task + 1 :], shared], axis=1),
            )
            for task, gate in enumerate(self.task_gates)
        ]
        return self.logits(self.towers, mixed, training)

    def gates(self, inputs: Encoded) -> dict[str, Any]:
        """{task: (batch, expert)} gate weights of the experts of all tasks in order, then the shared experts."""
        return {
            task: gate.of(inputs.by_task[i])
            for i, (task, gate) in enumerate(zip(self.names, self.task_gates, strict=True))
        }

    def expert_names(self, task: str, count: int) -> tuple[str, ...]:
        return numbered({**dict.fromkeys(self.names, self.task_experts), ALL: self.shared_experts})

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "task_experts": self.task_experts,
            "shared_experts": self.shared_experts,
            "units": self.units,
            "tower_units": self.tower_units,
            "activation": self.activation,
            "dropout": self.dropout,
            **self.gating,
        }
