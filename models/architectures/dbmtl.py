"""DBMTL: each task's tower also reads the hidden layers of the tasks before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import keras
from keras import ops

from models.architectures.base import Architecture
from models.architectures.encoded import Encoded
from models.architectures.task_info import TaskInfo
from models.architectures.task_order import before_by_funnel, first_to_last
from models.layers.experts import Experts
from models.layers.gate import Gate, mix
from models.layers.mlp import MLP

if TYPE_CHECKING:
    from models.recipe.option_types import Activation, Dropout, ExpertCount, Layers, LayersOrNone, TasksByTask


@keras.saving.register_keras_serializable(package="gatewise")
class DBMTL(Architecture):
    """Passes the hidden layer of each task's tower to the towers of the tasks that depend on it; suits tasks with known causes, one or several each.

    logit_t = h_t @ w_t + c_t, h_t = hidden_t([f_t, h_s for each parent s of t]), f_t = network_t(b_t).

    b_t is the output of the shared bottom, or the sum of the shared experts' outputs weighted by the softmax gate of task t.
    The parents of a task are those that `parents` declares: a Bayesian network of the tasks, P(t | x, parents of t). Without
    it, the parent of a task is the task before it in the funnel.

    Wang et al., Deep Bayesian Multi-Target Learning for Recommender Systems, 2019 (https://arxiv.org/abs/1902.09154).
    Deviations, as in EasyRec: a task passes on a hidden layer, not a prediction, and experts may replace the bottom.

    Args:
        tasks: tasks in the order of the label columns. `after` is the task before a task.
        parents: for each task the tasks that it reads: {order: [click, cart]}. Others read none. {}: along the funnel.
        experts: number of shared experts. 1: a shared bottom, without gates.
        units: sizes of the layers of the bottom, or of each expert.
        task_units: sizes of the layers of each task's network.
        tower_units: sizes of the hidden layers of each task's tower.
        activation: name of the activation.
        dropout: dropout rate of each layer.
    """

    user_once: ClassVar[bool] = True
    needs_funnel: ClassVar[bool] = True
    instead_of_funnel: ClassVar[str] = "parents"

    def __init__(
        self,
        tasks: tuple[TaskInfo, ...],
        *,
        parents: TasksByTask = {},  # noqa: B006 - options are read from the source, as literals
        experts: ExpertCount = 1,
        units: Layers = (128, 64),
        task_units: LayersOrNone = (64,),
        tower_units: LayersOrNone = (32,),
        activation: Activation = "relu",
        dropout: Dropout = 0.0,
        **layer: Any,
    ) -> None:
        super().__init__(tasks, **layer)
        self.parents = {task: tuple(read) for task, read in parents.items()}
        self.experts = experts
        self.units = tuple(units)
        self.task_units = tuple(task_units)
        self.tower_units = tuple(tower_units)
        self.activation = activation
        self.dropout = dropout
        self.read = (
            tuple(tuple(map(self.names.index, self.parents.get(task, ()))) for task in self.names)
            if self.parents
            else tuple(() if before is None else (before,) for before in before_by_funnel(self.tasks))
        )
        policy = self.dtype_policy
        self.shared = Experts(experts, self.units, activation=activation, dropout=dropout, name="experts", dtype=policy)
        self.task_gates = [Gate(experts, name=f"{task}_gate", dtype=policy) for task in self.names if experts > 1]
        self.networks = [
            MLP(self.task_units, activation=activation, dropout=dropout, name=f"{task}_network", dtype=policy)
            for task in self.names
        ]
        self.towers = self.make_towers(self.tower_units, activation, dropout)

    def build(self, input_shape: Encoded) -> None:
        shape = input_shape.x
        self.shared.build(shape)
        for gate in self.task_gates:
            gate.build(shape)
        mixed = (shape[0], self.units[-1])
        own = self.task_units[-1] if self.task_units else self.units[-1]
        widths: dict[int, int] = {}
        for network in self.networks:
            network.build(mixed)
        for task in first_to_last(self.read):
            width = own + sum(widths[parent] for parent in self.read[task])
            widths[task] = self.tower_units[-1] if self.tower_units else width
            self.towers[task].build((shape[0], width))

    def call(self, inputs: Encoded, training: bool | None = None) -> dict[str, Any]:
        experts = self.shared(inputs.x, training=training)  # (batch, expert, dim)
        gates = [gate(inputs.x) for gate in self.task_gates]
        mixed = [mix(gate, experts) for gate in gates] if gates else [experts[:, 0]] * len(self.tasks)
        own = [network(x, training=training) for network, x in zip(self.networks, mixed, strict=True)]
        hidden: dict[int, Any] = {}
        read: dict[int, Any] = {}
        for task in first_to_last(self.read):
            read[task] = ops.concatenate([own[task], *(hidden[parent] for parent in self.read[task])], axis=-1)
            hidden[task] = self.towers[task].hidden(read[task], training=training)
        logits = {name: self.towers[task].logits(hidden[task]) for task, name in enumerate(self.names)}
        return self.outputs(logits, [read[task] for task in range(len(self.names))])

    def gates(self, inputs: Encoded) -> dict[str, Any]:
        """{task: (batch, expert)} gate weights; {} with a shared bottom."""
        return {task: gate(inputs.x) for task, gate in zip(self.names, self.task_gates, strict=False)}

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "parents": dict(self.parents),
            "experts": self.experts,
            "units": self.units,
            "task_units": self.task_units,
            "tower_units": self.tower_units,
            "activation": self.activation,
            "dropout": self.dropout,
        }
