"""ResFlow: residual connections from each task of a funnel to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import keras

from models.architectures.base import Architecture
from models.architectures.encoded import Encoded
from models.architectures.task_info import TaskInfo
from models.architectures.task_order import before_by_funnel, first_to_last
from models.layers.mlp import MLP

if TYPE_CHECKING:
    from models.recipe.option_types import Activation, Dropout, Layers


@keras.saving.register_keras_serializable(package="gatewise")
class ResFlow(Architecture):
    """Adds every layer and the logit of each task's network to those of the next task; suits long funnels with few positives at their end.

    h_t^l = activation(h_t^(l-1) @ W_t^l + b_t^l) + h_s^l, with s the task before t and h_t^0 = x.
    logit_t = h_t^L @ w_t + c_t + logit_s. The first task of a funnel has no s, and adds nothing.

    So a task learns the difference from the task before it. The logits add between binary tasks with one logit each;
    otherwise only the layers do, because the outputs of a regression have another unit.

    Fu et al., Residual Multi-Task Learner for Applied Ranking, KDD 2024 (https://arxiv.org/abs/2411.09705). Deviations: no
    batch normalization, and one activation for all layers instead of PReLU; tasks may branch, since each names the task before
    it. The other variant, the product of probabilities p_t = p_s * sigmoid(logit_t), is not offered. Tasks without order share
    only the embedding tables, as in `single_task`.

    Args:
        tasks: tasks in the order of the label columns. `after` is the task before a task.
        units: sizes of the layers of each task's network, one or more.
        activation: name of the activation.
        dropout: dropout rate of each layer, before the sum.
    """

    user_once: ClassVar[bool] = True
    needs_funnel: ClassVar[bool] = True

    def __init__(
        self,
        tasks: tuple[TaskInfo, ...],
        *,
        units: Layers = (128, 64, 32),
        activation: Activation = "relu",
        dropout: Dropout = 0.0,
        **layer: Any,
    ) -> None:
        super().__init__(tasks, **layer)
        self.units = tuple(units)
        self.activation = activation
        self.dropout = dropout
        self.before = before_by_funnel(self.tasks)
        # A flat list, task by task: Keras does not save layers in nested lists.
        self.networks = [
            MLP((size,), activation=activation, dropout=dropout, name=f"{task}_{i}", dtype=self.dtype_policy)
            for task in self.names
            for i, size in enumerate(self.units)
        ]
        self.towers = self.make_towers((), activation, dropout)

    def build(self, input_shape: Encoded) -> None:
        for task, tower in enumerate(self.towers):
            shape = input_shape.x
            for layer in self.network(task):
                layer.build(shape)
                shape = layer.compute_output_shape(shape)
            tower.build(shape)

    def call(self, inputs: Encoded, training: bool | None = None) -> dict[str, Any]:
        levels: dict[int, list[Any]] = {}
        logits: dict[int, Any] = {}
        for task in first_to_last([() if before is None else (before,) for before in self.before]):
            before, x = self.before[task], inputs.x
            levels[task] = []
            for level, layer in enumerate(self.network(task)):
                x = layer(x, training=training)
                x = x if before is None else x + levels[before][level]
                levels[task].append(x)
            logit = self.towers[task](x, training=training)
            logits[task] = logit + logits[before] if before is not None and self._adds(task, before) else logit
        places = range(len(self.names))
        return self.outputs({self.names[task]: logits[task] for task in places}, [levels[task][-1] for task in places])

    def network(self, task: int) -> list[MLP]:
        """Layers of a task, from the input up."""
        return self.networks[task * len(self.units) : (task + 1) * len(self.units)]

    def _adds(self, task: int, before: int) -> bool:
        return all(one.kind == "binary" and one.outputs == 1 for one in (self.tasks[task], self.tasks[before]))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "activation": self.activation,
            "dropout": self.dropout,
        }
