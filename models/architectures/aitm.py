"""AITM: each task of a funnel reads the representation of the task before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import keras
from keras import ops

from models.architectures.base import Architecture
from models.architectures.encoded import Encoded
from models.architectures.task_info import TaskInfo
from models.architectures.task_order import before_by_funnel, first_to_last
from models.layers.dense import Dense
from models.layers.mlp import MLP
from models.recipe.errors import InputError

if TYPE_CHECKING:
    from models.recipe.option_types import Activation, Dropout, Layers, LayersOrNone, Strength


@keras.saving.register_keras_serializable(package="gatewise")
class AITM(Architecture):
    """Trains one network per task and passes information from each task to the next by attention; suits funnels such as click, cart, order.

    q_t = network_t(x). The first task of a chain has z_t = q_t. Any other task t, with s the task before it, has
    p_t = relu(z_s @ G_t + g_t), z_t = a_p V_t(p_t) + a_q V_t(q_t), where (a_p, a_q) is the softmax over u in (p_t, q_t)
    of <Q_t(u), K_t(u)> / sqrt(dim), and Q_t, K_t, V_t are linear with a bias. logit_t = tower_t(z_t).

    The calibrator adds strength * mean(max(sigmoid(logit_t) - sigmoid(logit_s), 0)) to the loss for binary tasks: an order
    is not more probable than the click before it. A task that is conditioned on the task before it has no calibrator,
    because its probability is conditional on that task and may be higher.

    Xi et al., Modeling the Sequential Dependence among Audience Multi-step Conversions with Multi-task Learning in
    Targeted Display Advertising, KDD 2021 (https://arxiv.org/abs/2105.08489). Deviations: tasks may branch, since each
    names the task before it; the calibrator is a mean over the batch, so that its strength does not depend on the batch
    size. Tasks without order share only the embedding tables, as in `single_task`.

    Args:
        tasks: tasks in the order of the label columns. `after` is the task before a task.
        units: sizes of the layers of each task's network, one or more.
        tower_units: sizes of the hidden layers of each task's tower.
        calibrator: strength of the calibrator, 0 or more.
        activation: name of the activation.
        dropout: dropout rate of each layer.

    Raises:
        InputError: `units` is empty.
    """

    user_once: ClassVar[bool] = True
    needs_funnel: ClassVar[bool] = True

    def __init__(
        self,
        tasks: tuple[TaskInfo, ...],
        *,
        units: Layers = (128, 64),
        tower_units: LayersOrNone = (32,),
        calibrator: Strength = 0.5,
        activation: Activation = "relu",
        dropout: Dropout = 0.0,
        **layer: Any,
    ) -> None:
        super().__init__(tasks, **layer)
        if not units:
            raise InputError("aitm: expected at least one layer in each network, received units=().")
        self.units = tuple(units)
        self.tower_units = tuple(tower_units)
        self.calibrator = calibrator
        self.activation = activation
        self.dropout = dropout
        policy = self.dtype_policy
        self.before = before_by_funnel(self.tasks)
        self.networks = [
            MLP(self.units, activation=activation, dropout=dropout, name=f"{task}_network", dtype=policy)
            for task in self.names
        ]
        self.transfers = [
            Transfer(self.units[-1], name=f"{task}_transfer", dtype=policy)
            for task, before in zip(self.names, self.before, strict=True)
            if before is not None
        ]
        self.towers = self.make_towers(self.tower_units, activation, dropout)

    def build(self, input_shape: Encoded) -> None:
        own = (input_shape.x[0], self.units[-1])
        for network, tower in zip(self.networks, self.towers, strict=True):
            network.build(input_shape.x)
            tower.build(own)
        for transfer in self.transfers:
            transfer.build([own, own])

    def call(self, inputs: Encoded, training: bool | None = None) -> dict[str, Any]:
        own = [network(inputs.x, training=training) for network in self.networks]
        transfers = iter(self.transfers)
        transfer_of = [None if before is None else next(transfers) for before in self.before]
        known: dict[int, Any] = {}
        for task in first_to_last([() if before is None else (before,) for before in self.before]):
            before, transfer = self.before[task], transfer_of[task]
            known[task] = own[task] if before is None or transfer is None else transfer([known[before], own[task]])
        logits = self.logits(self.towers, [known[task] for task in range(len(self.tasks))], training)
        if self.calibrator and training:
            self._calibrate(logits)
        return logits

    def _calibrate(self, logits: dict[str, Any]) -> None:
        for task, before in zip(self.tasks, self.before, strict=True):
            if before is None or not _calibrated(task, self.tasks[before]):
                continue
            excess = ops.sigmoid(logits[task.name]) - ops.sigmoid(logits[self.names[before]])
            self.add_loss(self.calibrator * ops.mean(ops.relu(excess)))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "tower_units": self.tower_units,
            "calibrator": self.calibrator,
            "activation": self.activation,
            "dropout": self.dropout,
        }


def _calibrated(task: TaskInfo, before: TaskInfo) -> bool:
    """Whether the task's probability is bounded by that of the task before it."""
    return not task.conditional and all(one.kind == "binary" and one.outputs == 1 for one in (task, before))


@keras.saving.register_keras_serializable(package="gatewise")
class Transfer(keras.layers.Layer):
    """Attention over the output of a task's network and the representation of the task before it.

    Args:
        dim: width of both inputs.

    Call: [(batch, dim) of the task before, (batch, dim) of the task's network] -> (batch, dim).
    """

    def __init__(self, dim: int, **layer: Any) -> None:
        super().__init__(**layer)
        self.dim = dim
        policy = self.dtype_policy
        self.passed_on = Dense(dim, "relu", name="passed_on", dtype=policy)
        self.query = Dense(dim, kernel_initializer="glorot_uniform", name="query", dtype=policy)
        self.key = Dense(dim, kernel_initializer="glorot_uniform", name="key", dtype=policy)
        self.value = Dense(dim, kernel_initializer="glorot_uniform", name="value", dtype=policy)

    def build(self, input_shape: list[tuple[int | None, ...]]) -> None:
        before, own = input_shape
        self.passed_on.build(before)
        for layer in (self.query, self.key, self.value):
            layer.build(own)

    def call(self, inputs: list[Any]) -> Any:
        before, own = inputs
        both = ops.stack([self.passed_on(before), own], axis=1)  # (batch, 2, dim)
        scores = ops.sum(self.query(both) * self.key(both), axis=-1) / self.dim**0.5  # (batch, 2)
        attention = ops.softmax(ops.cast(scores, "float32"), axis=-1)
        return ops.einsum("bu,bud->bd", ops.cast(attention, self.compute_dtype), self.value(both))

    def compute_output_shape(self, input_shape: list[tuple[int | None, ...]]) -> tuple[int | None, ...]:
        return tuple(input_shape[1])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dim": self.dim}
