"""PEPNet: gates from prior features scale the embeddings and the hidden layers of each task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from models.architectures.base import Architecture
from models.architectures.encoded import Encoded, Wants
from models.architectures.task_info import TaskInfo
from models.layers.dense import Dense
from models.layers.dropout import Dropout as DropoutLayer
from models.layers.gate_neural_unit import GateNeuralUnit
from models.layers.mlp import check_sizes
from models.layers.tower import Tower

if TYPE_CHECKING:
    from models.recipe.option_types import Activation, Dropout, FeatureNames, Layers, Size


@keras.saving.register_keras_serializable(package="gatewise")
class PEPNet(Architecture):
    """Scales embeddings and hidden layers of each task by gates from prior features; suits several domains and strong user or item ids.

    EPNet: e = gate([domain, stop(x)]) * x, for all tasks.
    PPNet: h_t^0 = e, h_t^l = gate_t^l([personal, stop(e)]) * act(h_t^{l-1} W_t^l + b_t^l), logit_t = h_t^L w_t + c_t.
    gate(p) = 2 sigmoid(relu(p W + b) V + c): between 0 and 2. stop passes no gradient: the gates do not train the shared
    embeddings through x. The hidden layer of a gate is shared by all tasks.

    Chang et al., PEPNet: Parameter and Embedding Personalized Network for Infusing with Personalized Prior Information,
    KDD 2023 (https://arxiv.org/abs/2302.01115). Deviation: x includes the features in `domain` and `personal`.

    Args:
        tasks: tasks in the order of the label columns.
        domain: features that gate the embeddings, such as the page or the country. (): x alone gates them.
        personal: features that gate the tasks' layers, such as the ids of user, item and author. (): the embeddings alone
            gate them.
        units: sizes of the hidden layers of each task's network.
        gate_units: size of the hidden layer of each gate.
        activation: name of the activation of the tasks' networks.
        dropout: dropout rate of each layer of the tasks' networks.
    """

    def __init__(
        self,
        tasks: tuple[TaskInfo, ...],
        *,
        domain: FeatureNames = (),
        personal: FeatureNames = (),
        units: Layers = (128, 64),
        gate_units: Size = 64,
        activation: Activation = "relu",
        dropout: Dropout = 0.0,
        **layer: Any,
    ) -> None:
        super().__init__(tasks, **layer)
        check_sizes("pepnet", tuple(units), dropout)
        self.domain = tuple(domain)
        self.personal = tuple(personal)
        self.units = tuple(units)
        self.gate_units = gate_units
        self.activation = activation
        self.dropout = dropout

    def wants(self) -> Wants:
        return Wants(parts=tuple(dict.fromkeys((*self.domain, *self.personal))))

    def build(self, input_shape: Encoded) -> None:
        dim, policy = input_shape.x[-1], self.dtype_policy
        width_of = {name: shape[-1] for name, shape in input_shape.parts.items()}
        self.embedding_gate = GateNeuralUnit(self.gate_units, (dim,), name="embedding_gate", dtype=policy)
        self.embedding_gate.build((None, dim + sum(width_of[name] for name in self.domain)))
        self.layer_gates = [
            GateNeuralUnit(self.gate_units, (size,) * len(self.tasks), name=f"layer_gate_{level}", dtype=policy)
            for level, size in enumerate(self.units)
        ]
        for gate in self.layer_gates:
            gate.build((None, dim + sum(width_of[name] for name in self.personal)))
        self.networks = [
            [
                Dense(size, self.activation, name=f"{task}_{level}", dtype=policy)
                for level, size in enumerate(self.units)
            ]
            for task in self.names
        ]
        self.drop = (
            [DropoutLayer(self.dropout, dtype=policy) for _ in self.names for _ in self.units] if self.dropout else []
        )
        for network in self.networks:
            for layer, read in zip(network, (dim, *self.units), strict=False):
                layer.build((None, read))
        self.towers: list[Tower] = self.make_towers((), self.activation, 0.0)
        for tower in self.towers:
            tower.build((None, self.units[-1]))

    def call(self, inputs: Encoded, training: bool | None = None) -> dict[str, Any]:
        [gate] = self.embedding_gate(_beside(inputs, self.domain, inputs.x))
        e = gate * inputs.x
        prior = _beside(inputs, self.personal, e)
        gates = [layer(prior) for layer in self.layer_gates]  # of each level: of each task (batch, units)
        hidden = []
        for task, network in enumerate(self.networks):
            h = e
            for level, layer in enumerate(network):
                h = gates[level][task] * layer(h)
                if self.drop:
                    h = self.drop[task * len(self.units) + level](h, training=training)
            hidden.append(h)
        return self.logits(self.towers, hidden, training)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "domain": self.domain,
            "personal": self.personal,
            "units": self.units,
            "gate_units": self.gate_units,
            "activation": self.activation,
            "dropout": self.dropout,
        }


def _beside(inputs: Encoded, names: tuple[str, ...], x: Any) -> Any:
    """The parts of these names, and x without its gradient."""
    return ops.concatenate([*(inputs.parts[name] for name in names), ops.stop_gradient(x)], axis=-1)
