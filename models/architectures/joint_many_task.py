"""JointManyTask: tasks in a hierarchy, each one layer above the task before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import keras
from keras import ops

from models.architectures.base import Architecture
from models.architectures.encoded import Encoded
from models.architectures.task_info import TaskInfo
from models.layers.dense import Dense
from models.layers.dropout import Dropout as DropoutLayer

if TYPE_CHECKING:
    from models.recipe.option_types import Activation, Dropout, LayersOrNone, Size, TaskNames


@keras.saving.register_keras_serializable(package="gatewise")
class JointManyTask(Architecture):
    """Stacks the tasks, each on the layer and the predictions of those below it; suits tasks of rising difficulty that build on one another.

    For the task at level l: h_l = activation(x @ S_l + s_l + [h_(l-1), sum_(m<l) e_m] @ U_l + u_l), logit_l = tower_l(h_l).
    h_1 reads x alone. x reaches every level by a shortcut.

    e_m is the label embedding of the task at level m: for a binary task the probability-weighted sum of the embeddings of its
    two labels, p L_1 + (1 - p) L_0 with p = sigmoid(logit_m); otherwise a dense layer of the task's outputs.

    Hashimoto et al., A Joint Many-Task Model: Growing a Neural Network for Multiple NLP Tasks, EMNLP 2017
    (https://arxiv.org/abs/1611.01587). Deviations: dense layers instead of recurrent ones. No gradient passes through
    a prediction into the tower below, so the tower of a task is trained by its own labels alone. No successive
    regularization: it keeps what the task before learned while the next one trains alone for an epoch, and here all tasks
    train in each step.

    Args:
        tasks: tasks in the order of the label columns.
        order: tasks from the lowest to the highest level. Tasks that are not in it follow, in the order of the recipe.
        level_units: size of the layer of each level.
        label_units: size of the label embeddings.
        tower_units: sizes of the hidden layers of each task's tower.
        activation: name of the activation.
        dropout: dropout rate of each layer.
    """

    user_once: ClassVar[bool] = True

    def __init__(
        self,
        tasks: tuple[TaskInfo, ...],
        *,
        order: TaskNames = (),
        level_units: Size = 64,
        label_units: Size = 8,
        tower_units: LayersOrNone = (32,),
        activation: Activation = "relu",
        dropout: Dropout = 0.0,
        **layer: Any,
    ) -> None:
        super().__init__(tasks, **layer)
        self.order = tuple(order)
        self.level_units = level_units
        self.label_units = label_units
        self.tower_units = tuple(tower_units)
        self.activation = activation
        self.dropout = dropout
        self.activate = keras.activations.get(activation)
        self.upwards = tuple(map(self.names.index, dict.fromkeys((*self.order, *self.names))))
        policy = self.dtype_policy
        below, above = self.upwards[:-1], self.upwards[1:]
        self.labels = [Dense(label_units, name=f"{self.names[task]}_labels", dtype=policy) for task in below]
        # The two products of a level are summed: lecun_normal for each is he_normal for the sum.
        self.shortcuts = [
            Dense(level_units, kernel_initializer="lecun_normal", name=f"{self.names[task]}_shortcut", dtype=policy)
            for task in self.upwards
        ]
        self.lifts = [
            Dense(level_units, kernel_initializer="lecun_normal", name=f"{self.names[task]}_lift", dtype=policy)
            for task in above
        ]
        self.drop = [DropoutLayer(dropout, dtype=policy) for _ in self.upwards] if dropout else []
        self.towers = self.make_towers(self.tower_units, activation, dropout)

    def build(self, input_shape: Encoded) -> None:
        rows = input_shape.x[0]
        for shortcut, tower in zip(self.shortcuts, self.towers, strict=True):
            shortcut.build(input_shape.x)
            tower.build((rows, self.level_units))
        for label, lift, task in zip(self.labels, self.lifts, self.upwards, strict=False):
            label.build((rows, self.tasks[task].outputs))
            lift.build((rows, self.level_units + self.label_units))

    def call(self, inputs: Encoded, training: bool | None = None) -> dict[str, Any]:
        logits: dict[int, Any] = {}
        read: dict[int, Any] = {}
        below: Any = None
        labels: Any = 0.0
        for level, task in enumerate(self.upwards):
            x = self.shortcuts[level](inputs.x)
            if level:
                labels = labels + self.labels[level - 1](self._prediction(self.upwards[level - 1], logits))
                x = x + self.lifts[level - 1](ops.concatenate([below, labels], axis=-1))
            below = self.activate(x)
            below = self.drop[level](below, training=training) if self.drop else below
            read[task] = below
            logits[task] = self.towers[task](below, training=training)
        places = range(len(self.names))
        return self.outputs({self.names[task]: logits[task] for task in places}, [read[task] for task in places])

    def _prediction(self, task: int, logits: dict[int, Any]) -> Any:
        """(batch, outputs): the probability of a binary task with one logit, the outputs of any other."""
        about = self.tasks[task]
        outputs = ops.stop_gradient(logits[task])
        outputs = ops.sigmoid(outputs) if about.kind == "binary" and about.outputs == 1 else outputs
        return ops.cast(ops.reshape(outputs, (-1, about.outputs)), self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "order": self.order,
            "level_units": self.level_units,
            "label_units": self.label_units,
            "tower_units": self.tower_units,
            "activation": self.activation,
            "dropout": self.dropout,
        }
