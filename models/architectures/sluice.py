"""Sluice: one network per task, whose subspaces and layers are mixed by learned weights."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, ClassVar

import keras
from keras import ops

from models.architectures.base import Architecture
from models.architectures.encoded import Encoded
from models.architectures.task_info import TaskInfo
from models.layers.cross_stitch import CrossStitchUnit
from models.layers.dense import Dense
from models.layers.dropout import Dropout as DropoutLayer
from models.layers.mlp import check_activation, check_sizes
from models.layers.stacked_dense import StackedDense
from models.recipe.errors import InputError

if TYPE_CHECKING:
    from models.recipe.option_types import Activation, Dropout, Layers, LayersOrNone, Levels, Share, Strength


@keras.saving.register_keras_serializable(package="gatewise")
class Sluice(Architecture):
    """Trains one network per task and learns which subspaces and which layers of the networks to share; suits few loosely related tasks.

    G_l,t = [G_l,t,1 ... G_l,t,k]                   the kernel of layer l of task t, in k subspaces
    h_l,t,i = activation(m_(l-1),t @ G_l,t,i + b)   (batch, units[l]); m_0,t = x
    m_l,t,i = sum_s,j alpha_l[t,i; s,j] h_l,s,j     over all tasks s and subspaces j; m_l,t = [m_l,t,1 ... m_l,t,k]
    logit_t = tower_t(sum_l beta_t[l] m_l,t)
    loss term = orthogonality * sum_l,t sum_(i<j) |G_l,t,i^T G_l,t,j|^2   (Frobenius norm)

    The loss term lets the subspaces learn different features, so that alpha can share one and keep the other to the task.
    Alpha of a subspace to itself and beta of the last layer start at `self_weight`.

    Ruder et al., Latent Multi-task Architecture Learning, AAAI 2019 (https://arxiv.org/abs/1705.08142).
    Deviations: any number of subspaces. All layers of the paper have one width; here a layer of another width than
    the last is projected to it by a linear layer of each task before beta.

    Args:
        tasks: tasks in the order of the label columns.
        units: size of one subspace in each layer, one or more. A layer is `subspaces` times as wide.
        subspaces: number of subspaces of each layer. With 1, there is no loss term.
        tower_units: sizes of the hidden layers of each task's tower.
        self_weight: initial alpha of a subspace to itself and beta of the last layer, 0 to 1. The others share the rest.
        orthogonality: factor of the loss term, 0 or more.
        activation: name of the activation.
        dropout: dropout rate of each layer.

    Raises:
        InputError: `units` is empty, `subspaces` is below 1, self_weight is outside [0, 1], or `orthogonality` is negative.
    """

    user_once: ClassVar[bool] = True

    def __init__(
        self,
        tasks: tuple[TaskInfo, ...],
        *,
        units: Layers = (64, 64),
        subspaces: Levels = 2,
        tower_units: LayersOrNone = (32,),
        self_weight: Share = 0.9,
        orthogonality: Strength = 1e-3,
        activation: Activation = "relu",
        dropout: Dropout = 0.0,
        **layer: Any,
    ) -> None:
        super().__init__(tasks, **layer)
        if not units or subspaces < 1:
            raise InputError(
                f"sluice: expected at least one layer and one subspace, received units={tuple(units)} and "
                f"subspaces={subspaces}."
            )
        if orthogonality < 0:
            raise InputError(f"sluice: expected an orthogonality of 0 or more, received {orthogonality}.")
        check_sizes("sluice", units, dropout)
        check_activation("sluice", activation)
        self.units = tuple(units)
        self.subspaces = subspaces
        self.tower_units = tuple(tower_units)
        self.self_weight = self_weight
        self.orthogonality = orthogonality
        self.activation = activation
        self.dropout = dropout
        policy, count = self.dtype_policy, len(self.tasks)
        # By level and task, flat: Keras does not save layers in nested lists.
        self.projections = [
            Dense(subspaces * self.units[-1], kernel_initializer="glorot_normal", name=f"{task}_{i}", dtype=policy)
            for i in self._projected()
            for task in self.names
        ]
        self.stack = [
            StackedDense(count, subspaces * size, activation=activation, name=f"stack_{i}", dtype=policy)
            for i, size in enumerate(self.units)
        ]
        self.drop = [DropoutLayer(dropout, dtype=policy) for _ in self.units] if dropout else []
        self.stitches = [
            CrossStitchUnit(self_weight=self_weight, name=f"stitch_{i}", dtype=policy) for i in range(len(self.units))
        ]
        self.towers = self.make_towers(self.tower_units, activation, dropout)

    def _projected(self) -> list[int]:
        """The layers whose width differs from the last."""
        return [i for i, size in enumerate(self.units) if size != self.units[-1]]

    def build(self, input_shape: Encoded) -> None:
        shape, tasks, layers = input_shape.x, len(self.tasks), len(self.units)
        others = (1.0 - self.self_weight) / max(layers - 1, 1)
        start = [others] * (layers - 1) + [self.self_weight if layers > 1 else 1.0]
        # One variable per task, so that each is moved by its own task alone.
        self.beta = [
            self.add_weight(
                shape=(layers,), initializer=lambda shape, dtype: ops.array(start, dtype), name=f"{task}_beta"
            )
            for task in self.names
        ]
        for size, stack, stitch in zip(self.units, self.stack, self.stitches, strict=True):
            stack.build(shape)
            stitch.build((shape[0], tasks * self.subspaces, size))
            shape = (shape[0], tasks, self.subspaces * size)
        for at, i in enumerate(self._projected()):
            for layer in self._of_level(at):
                layer.build((shape[0], self.subspaces * self.units[i]))
        for tower in self.towers:
            tower.build((shape[0], shape[-1]))

    def call(self, inputs: Encoded, training: bool | None = None) -> dict[str, Any]:
        x, tasks, levels = inputs.x, len(self.tasks), []
        for i, (size, stack, stitch) in enumerate(zip(self.units, self.stack, self.stitches, strict=True)):
            x = stack(x)  # (batch, task, subspace * units[i])
            if self.drop:
                x = self.drop[i](x, training=training)
            mixed = stitch(ops.reshape(x, (-1, tasks * self.subspaces, size)))
            x = ops.reshape(mixed, (-1, tasks, self.subspaces * size))
            levels.append(x)
        if self.subspaces > 1:
            kernels = [ops.cast(stack.kernel.value, "float32") for stack in self.stack]
            self.add_loss(self.orthogonality * sum(overlap(kernel, self.subspaces) for kernel in kernels))
        # Each task by itself: computed together, every task's output would depend on the other tasks' beta.
        read = [self._read(levels, task) for task in range(tasks)]
        return self.logits(self.towers, read, training)

    def _read(self, levels: list[Any], task: int) -> Any:
        """The input of a task's tower, (batch, dim), from the layers, each (batch, task, dim)."""
        own = [level[:, task] for level in levels]
        for at, i in enumerate(self._projected()):
            own[i] = self._of_level(at)[task](own[i])
        return ops.einsum("l,lbd->bd", self.beta[task], ops.stack(own))

    def _of_level(self, at: int) -> list[Dense]:
        """The projections of one level, in the order of the tasks."""
        return self.projections[at * len(self.tasks) : (at + 1) * len(self.tasks)]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "subspaces": self.subspaces,
            "tower_units": self.tower_units,
            "self_weight": self.self_weight,
            "orthogonality": self.orthogonality,
            "activation": self.activation,
            "dropout": self.dropout,
        }


def overlap(kernel: Any, subspaces: int) -> Any:
    """sum_t sum_(i<j) |G_t,i^T G_t,j|^2, for the kernels (task, in, subspace * units) of a layer of all tasks."""
    parts = ops.split(kernel, subspaces, axis=-1)  # (task, in, units)
    pairs = itertools.combinations(parts, 2)
    return sum(ops.sum(ops.square(ops.matmul(ops.swapaxes(one, 1, 2), other))) for one, other in pairs)
