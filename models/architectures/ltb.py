"""LTB: a tree of layers that learns where to branch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import keras
from keras import ops

from models.architectures.base import Architecture
from models.architectures.encoded import Encoded
from models.architectures.task_info import TaskInfo
from models.layers.experts import Experts
from models.layers.parent_choice import ParentChoice
from models.recipe.errors import InputError

if TYPE_CHECKING:
    from models.recipe.option_types import Activation, Dropout, Layers, LayersOrNone, Steps, Temperature


@keras.saving.register_keras_serializable(package="gatewise")
class LTB(Architecture):
    """Learns a tree of layers, in which related tasks share a path before they branch; suits groups of tasks that are not known beforehand.

    h_1,j = activation(x @ K_1,j + b_1,j), h_l,j = activation(h_(l-1),parent(l,j) @ K_l,j + b_l,j)   (batch, units[l])
    logit_t = tower_t(h_L,parent(t)), for the last level L

    Each level has as many nodes as there are tasks, enough for any tree. In training, each node and each task draws its
    parent once per step by Gumbel-softmax with a straight-through gradient and a falling temperature (`ParentChoice`).
    At inference, each has exactly one parent, the most probable one, so that two tasks share the layers above which their
    paths meet. Draws stay random until the probabilities differ: a short training may end in a tree of little evidence.
    All nodes are computed and stored, those without a child too.

    Guo et al., Learning to Branch for Multi-Task Learning, ICML 2020 (https://arxiv.org/abs/2006.01895).
    Deviations: the schedule of the temperature and the small first preference of `ParentChoice`. Tree and weights come
    from one training; the tree is not trained again by itself.

    Args:
        tasks: tasks in the order of the label columns.
        units: size of the nodes of each level, one or more.
        tower_units: sizes of the hidden layers of each task's tower.
        temperature: temperature of the first step. A high one lets the gradient reach all parents.
        anneal_steps: steps in which the temperature falls to 1/e, until 0.5.
        activation: name of the activation.
        dropout: dropout rate of each layer.

    Raises:
        InputError: `units` is empty, or `temperature` or `anneal_steps` is not above 0.
    """

    user_once: ClassVar[bool] = True

    def __init__(
        self,
        tasks: tuple[TaskInfo, ...],
        *,
        units: Layers = (128, 64),
        tower_units: LayersOrNone = (32,),
        temperature: Temperature = 5.0,
        anneal_steps: Steps = 1000,
        activation: Activation = "relu",
        dropout: Dropout = 0.0,
        **layer: Any,
    ) -> None:
        super().__init__(tasks, **layer)
        if not units:
            raise InputError("ltb: expected at least one level of nodes, received units=().")
        if temperature <= 0 or anneal_steps <= 0:
            raise InputError(
                f"ltb: expected a temperature and anneal_steps above 0, received temperature={temperature} and "
                f"anneal_steps={anneal_steps}."
            )
        self.units = tuple(units)
        self.tower_units = tuple(tower_units)
        self.temperature = temperature
        self.anneal_steps = anneal_steps
        self.activation = activation
        self.dropout = dropout
        policy, count = self.dtype_policy, len(self.tasks)
        falling: dict[str, Any] = {"temperature": temperature, "anneal_steps": anneal_steps}
        self.levels = [
            Experts(count, (size,), activation=activation, dropout=dropout, name=f"level_{i}", dtype=policy)
            for i, size in enumerate(self.units)
        ]
        self.parents = [
            ParentChoice(count, count, name=f"parents_{i}", dtype=policy, **falling) for i in range(1, len(self.units))
        ]
        # One layer per task, so that each is moved by its own task alone.
        self.task_parents = [
            ParentChoice(1, count, own=i, name=f"{task}_parent", dtype=policy, **falling)
            for i, task in enumerate(self.names)
        ]
        self.towers = self.make_towers(self.tower_units, activation, dropout)

    def build(self, input_shape: Encoded) -> None:
        shape = input_shape.x
        for i, level in enumerate(self.levels):
            if i:
                self.parents[i - 1].build(shape)
            level.build(shape)
            shape = level.compute_output_shape(shape)
        for parent, tower in zip(self.task_parents, self.towers, strict=True):
            parent.build(shape)
            tower.build((shape[0], self.units[-1]))

    def call(self, inputs: Encoded, training: bool | None = None) -> dict[str, Any]:
        x = inputs.x
        for i, level in enumerate(self.levels):
            if i:
                x = self.parents[i - 1](x, training=training)
            x = level(x, training=training)  # (batch, node, units[i])
        read = [ops.squeeze(parent(x, training=training), axis=1) for parent in self.task_parents]
        return self.logits(self.towers, read, training)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "tower_units": self.tower_units,
            "temperature": self.temperature,
            "anneal_steps": self.anneal_steps,
            "activation": self.activation,
            "dropout": self.dropout,
        }
