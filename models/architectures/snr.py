"""SNR: levels of sub-networks, whose connections are learned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import keras
from keras import ops

from models.architectures.base import Architecture
from models.architectures.encoded import Encoded
from models.architectures.task_info import TaskInfo
from models.layers.experts import Experts
from models.layers.routing import Routing
from models.recipe.errors import InputError

if TYPE_CHECKING:
    from models.recipe.option_types import Activation, Dropout, ExpertCount, Layers, LayersOrNone, Strength


@keras.saving.register_keras_serializable(package="gatewise")
class SNR(Architecture):
    """Learns the connections between levels of sub-networks and tasks, and closes those of no use; suits several tasks of unknown relatedness.

    h_1,i = activation(x @ K_1,i + b_1,i), h_l,j = activation(v_l,j @ K_l,j + b_l,j)      (batch, units[l])
    v_l,j = sum_i z_l[i, j] h_(l-1),i @ W_l[i, j]   (SNR-Trans), or sum_i z_l[i, j] h_(l-1),i   (SNR-Aver)
    logit_t = tower_t(v_t), with connections z_t from the last level to task t
    loss term = strength * sum of P(z > 0) over all connections, for `strength` per connection

    Each z is drawn once per step in training from the hard concrete distribution (`HardConcrete`). At inference it is
    fixed, and exactly 0 for a connection that does not reduce the loss by about `strength`. The exported model multiplies
    by these zeros: closed connections cost the same time as open ones.

    Ma et al., SNR: Sub-Network Routing for Flexible Parameter Sharing in Multi-Task Learning, AAAI 2019
    (https://doi.org/10.1609/aaai.v33i01.3301216).

    Args:
        tasks: tasks in the order of the label columns.
        subnetworks: number of sub-networks on each level.
        units: size of each sub-network's layer, one level each, one or more.
        connection: "transform" (SNR-Trans: a matrix per connection) or "average" (SNR-Aver: none, fewer parameters).
        tower_units: sizes of the hidden layers of each task's tower.
        strength: factor of the loss term, 0 or more.
        activation: name of the activation.
        dropout: dropout rate of each layer.

    Raises:
        InputError: `units` is empty, `connection` is unknown, or `strength` is negative.
    """

    user_once: ClassVar[bool] = True

    def __init__(
        self,
        tasks: tuple[TaskInfo, ...],
        *,
        subnetworks: ExpertCount = 4,
        units: Layers = (128, 64),
        connection: Literal["transform", "average"] = "transform",
        tower_units: LayersOrNone = (32,),
        strength: Strength = 1e-4,
        activation: Activation = "relu",
        dropout: Dropout = 0.0,
        **layer: Any,
    ) -> None:
        super().__init__(tasks, **layer)
        if not units:
            raise InputError("snr: expected at least one level of sub-networks, received units=().")
        if connection not in ("transform", "average"):
            raise InputError(f"snr: expected the connection transform or average, received {connection!r}.")
        if strength < 0:
            raise InputError(f"snr: expected a strength of 0 or more, received {strength}.")
        self.subnetworks = subnetworks
        self.units = tuple(units)
        self.connection = connection
        self.tower_units = tuple(tower_units)
        self.strength = strength
        self.activation = activation
        self.dropout = dropout
        policy, transform = self.dtype_policy, connection == "transform"
        self.levels = [
            Experts(subnetworks, (size,), activation=activation, dropout=dropout, name=f"level_{i}", dtype=policy)
            for i, size in enumerate(self.units)
        ]
        self.between = [
            Routing(subnetworks, subnetworks, transform=transform, name=f"routing_{i}", dtype=policy)
            for i in range(1, len(self.units))
        ]
        # One layer per task, so that each is moved by its own task alone.
        self.to_tasks = [
            Routing(subnetworks, 1, transform=transform, name=f"{task}_routing", dtype=policy) for task in self.names
        ]
        self.towers = self.make_towers(self.tower_units, activation, dropout)

    def build(self, input_shape: Encoded) -> None:
        shape = input_shape.x
        for i, level in enumerate(self.levels):
            if i:
                self.between[i - 1].build(shape)
            level.build(shape)
            shape = level.compute_output_shape(shape)
        for routing, tower in zip(self.to_tasks, self.towers, strict=True):
            routing.build(shape)
            tower.build((shape[0], self.units[-1]))

    def call(self, inputs: Encoded, training: bool | None = None) -> dict[str, Any]:
        x = inputs.x
        for i, level in enumerate(self.levels):
            if i:
                x = self.between[i - 1](x, training=training)
            x = level(x, training=training)  # (batch, sub-network, units[i])
        self.add_loss(self.strength * self.expected_open())
        read = [ops.squeeze(routing(x, training=training), axis=1) for routing in self.to_tasks]
        return self.logits(self.towers, read, training)

    def expected_open(self) -> Any:
        """Expected number of open connections in training."""
        return sum(routing.gates.expected_open() for routing in (*self.between, *self.to_tasks))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "subnetworks": self.subnetworks,
            "units": self.units,
            "connection": self.connection,
            "tower_units": self.tower_units,
            "strength": self.strength,
            "activation": self.activation,
            "dropout": self.dropout,
        }
