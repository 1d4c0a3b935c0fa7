"""MTAN: one shared network, read by each task through attention masks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import keras
from keras import ops

from models.architectures.base import Architecture
from models.architectures.encoded import Encoded
from models.architectures.task_info import TaskInfo
from models.layers.dense import Dense
from models.layers.mlp import MLP
from models.recipe.errors import InputError

if TYPE_CHECKING:
    from models.recipe.option_types import Activation, Dropout, Layers, LayersOrNone, Size


@keras.saving.register_keras_serializable(package="gatewise")
class MTAN(Architecture):
    """Shares one network, of which each task masks the units of every layer by attention; suits related tasks that need different units of it.

    p_l = activation(p_(l-1) @ K_l + b_l), p_0 = x                     (batch, units[l]), shared
    a_t,l = sigmoid(relu([p_l, m_t,(l-1)] @ G_t,l + g) @ H_t,l + h)    (batch, units[l]), without m in the first layer
    m_t,l = a_t,l p_l, by element
    logit_t = tower_t(m_t,L), for the last layer L

    Liu et al., End-to-End Multi-Task Learning with Attention, CVPR 2019 (https://arxiv.org/abs/1803.10704).
    Deviations: dense layers in place of convolutions, without batch normalization. A block of the shared network is one
    layer, so its mask reads the layer that it masks. The paper's third convolution, which brings the last masked features
    to the size of the next block, is a part of G.

    Args:
        tasks: tasks in the order of the label columns.
        units: sizes of the layers of the shared network, one or more.
        mask_units: size of the hidden layer of each mask.
        tower_units: sizes of the hidden layers of each task's tower.
        activation: name of the activation of the shared network and the towers.
        dropout: dropout rate of each layer of the shared network and the towers.

    Raises:
        InputError: `units` is empty, or `mask_units` is below 1.
    """

    user_once: ClassVar[bool] = True

    def __init__(
        self,
        tasks: tuple[TaskInfo, ...],
        *,
        units: Layers = (256, 128),
        mask_units: Size = 32,
        tower_units: LayersOrNone = (32,),
        activation: Activation = "relu",
        dropout: Dropout = 0.0,
        **layer: Any,
    ) -> None:
        super().__init__(tasks, **layer)
        if not units or mask_units < 1:
            raise InputError(
                f"mtan: expected at least one layer to mask and 1 mask unit or more, received units={tuple(units)} and "
                f"mask_units={mask_units}."
            )
        self.units = tuple(units)
        self.mask_units = mask_units
        self.tower_units = tuple(tower_units)
        self.activation = activation
        self.dropout = dropout
        policy = self.dtype_policy
        self.shared = [
            MLP((size,), activation=activation, dropout=dropout, name=f"shared_{i}", dtype=policy)
            for i, size in enumerate(self.units)
        ]
        # By level and task, flat: Keras does not save layers in nested lists. One layer per task, not a stack of all, so
        # that each is moved by its own task alone.
        places = [(f"{task}_{i}", size) for i, size in enumerate(self.units) for task in self.names]
        self.hidden = [Dense(mask_units, "relu", name=f"{place}_hidden", dtype=policy) for place, _ in places]
        self.masks = [
            Dense(size, "sigmoid", kernel_initializer="glorot_normal", name=f"{place}_mask", dtype="float32")
            for place, size in places
        ]
        self.towers = self.make_towers(self.tower_units, activation, dropout)

    def build(self, input_shape: Encoded) -> None:
        shape = input_shape.x
        for i, (layer, size) in enumerate(zip(self.shared, self.units, strict=True)):
            layer.build(shape)
            shape = (shape[0], size)
            read = (shape[0], size + (self.units[i - 1] if i else 0))
            for task in range(len(self.tasks)):
                hidden, mask = self._mask(i, task)
                hidden.build(read)
                mask.build((shape[0], self.mask_units))
        for tower in self.towers:
            tower.build(shape)

    def call(self, inputs: Encoded, training: bool | None = None) -> dict[str, Any]:
        x = inputs.x
        masked: list[Any] = []  # (batch, units[i]) of each task
        for i, layer in enumerate(self.shared):
            x = layer(x, training=training)
            read = [ops.concatenate([x, before], axis=-1) for before in masked] or [x] * len(self.tasks)
            masked = [self._attention(i, task, read[task]) * x for task in range(len(self.tasks))]
        return self.logits(self.towers, masked, training)

    def _attention(self, level: int, task: int, x: Any) -> Any:
        hidden, mask = self._mask(level, task)
        return ops.cast(mask(hidden(x)), self.compute_dtype)

    def _mask(self, level: int, task: int) -> tuple[Dense, Dense]:
        """The two layers of a task's mask of a shared layer."""
        at = level * len(self.tasks) + task
        return self.hidden[at], self.masks[at]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "mask_units": self.mask_units,
            "tower_units": self.tower_units,
            "activation": self.activation,
            "dropout": self.dropout,
        }
