"""TaskConditioned: one network for all tasks, which reads a descriptor of the task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import keras
import numpy as np
from keras import ops

from models.architectures.base import Architecture
from models.architectures.encoded import Encoded
from models.architectures.task_info import TaskInfo
from models.layers.dense import Dense
from models.layers.dropout import Dropout as DropoutLayer
from models.layers.mlp import check_sizes
from models.recipe.errors import InputError

if TYPE_CHECKING:
    from models.recipe.option_types import Activation, Dropout, Layers


@keras.saving.register_keras_serializable(package="gatewise")
class TaskConditioned(Architecture):
    """Runs one network for all tasks, conditioned on a descriptor of the task; suits many tasks, or tasks that few numbers describe.

    h^l_t = f(h^{l-1}_t), h^0 = x, logit_t = h^L_t w_t + c_t, with a = h^{l-1}_t W_l + b_l and the descriptor z_t in f:

    | mode | f |
    |---|---|
    | concatenate | act(a + z_t V) in the first layer, act(a) in the others: x and z_t side by side |
    | add | act(a) + z_t V_l |
    | multiply | act(a) * (1 + z_t S_l) |
    | film | act(a * (1 + z_t S_l) + z_t V_l) |
    | heads | act(a), and the logits are sum_k z_tk (h^L w_k + c_k): a head for each number of the descriptor |

    W_l and b_l are the same for all tasks. a of the first layer is computed once for all of them; `heads` computes every layer once.
    The descriptor of a task is `tasks.NAME.descriptor`, such as [log of the watched seconds that count, 1]. Without
    descriptors it is one-hot: 1 in the place of the task, else 0.

    Perez et al., FiLM: Visual Reasoning with a General Conditioning Layer, AAAI 2018 (https://arxiv.org/abs/1709.07871).
    Deviation: linear maps of z without a bias.

    Args:
        tasks: tasks in the order of the label columns.
        mode: how the network reads the descriptor.
        own_heads: whether each task has its own w_t and c_t. Otherwise tasks with as many logits share them, and tasks with
            the same descriptor have the same logits. `heads` has none of its own.
        units: sizes of the layers.
        activation: name of the activation.
        dropout: dropout rate of each layer.

    Raises:
        InputError: the tasks' descriptors differ in length.
    """

    user_once: ClassVar[bool] = True

    def __init__(
        self,
        tasks: tuple[TaskInfo, ...],
        *,
        mode: Literal["concatenate", "add", "multiply", "film", "heads"] = "film",
        own_heads: bool = True,
        units: Layers = (256, 128),
        activation: Activation = "relu",
        dropout: Dropout = 0.0,
        **layer: Any,
    ) -> None:
        super().__init__(tasks, **layer)
        check_sizes("task_conditioned", tuple(units), dropout)
        if len({len(task.descriptor) for task in self.tasks}) > 1:
            raise InputError(
                "task_conditioned: expected descriptors of one length, received "
                f"{ {task.name: list(task.descriptor) for task in self.tasks} }. Give every task as many numbers, or none."
            )
        self.mode = mode
        self.own_heads = own_heads
        self.units = tuple(units)
        self.activation = activation
        self.dropout = dropout
        self.activate = keras.activations.get(activation)
        described = [task.descriptor for task in self.tasks]
        self.z = np.array(described if described[0] else np.eye(len(self.tasks)), "float32")
        """(task, number of the descriptor)."""
        policy = self.dtype_policy
        self.layers = [Dense(size, name=f"dense_{level}", dtype=policy) for level, size in enumerate(self.units)]
        self.drop = [DropoutLayer(dropout, dtype=policy) for _ in self.units] if dropout else []
        numbers = self.z.shape[1] if mode == "heads" else 1
        own = own_heads and mode != "heads"
        self.head_of = [task.name if own else f"{task.outputs}_logits" for task in self.tasks]
        outputs = dict(zip(self.head_of, (task.outputs for task in self.tasks), strict=True))
        self.heads = {
            key: Dense(numbers * count, kernel_initializer="glorot_uniform", name=f"{key}_head", dtype="float32")
            for key, count in outputs.items()
        }

    def build(self, input_shape: Encoded) -> None:
        scaled, shifted = _READ[self.mode]
        numbers, read = self.z.shape[1], input_shape.x[-1]
        for layer, size in zip(self.layers, self.units, strict=True):
            layer.build((None, read))
            read = size
        self.scales, self.shifts = (
            [
                self.add_weight(shape=(numbers, size), initializer="glorot_uniform", name=f"{name}_{level}")
                for level, size in enumerate(self.units[:levels])
            ]
            for name, levels in (("scale", scaled), ("shift", shifted))
        )
        for head in self.heads.values():
            head.build((None, self.units[-1]))

    def call(self, inputs: Encoded, training: bool | None = None) -> dict[str, Any]:
        h = inputs.x
        for level, layer in enumerate(self.layers):
            h = self._conditioned(
                layer(h), level
            )  # (batch, units), or (batch, task, units) once it depends on the task
            if self.drop:
                h = self.drop[level](h, training=training)
        read = [h] * len(self.tasks) if len(h.shape) == 2 else ops.unstack(h, axis=1)
        logits = {name: self._logits(x, place) for place, (name, x) in enumerate(zip(self.names, read, strict=True))}
        return self.outputs(logits, read)

    def _conditioned(self, a: Any, level: int) -> Any:
        scale = 1.0 + self._of_tasks(self.scales[level]) if level < len(self.scales) else None
        shift = self._of_tasks(self.shifts[level]) if level < len(self.shifts) else None
        if len(a.shape) == 2 and (scale is not None or shift is not None):
            a = ops.expand_dims(a, 1)
        before = self.mode not in ("add", "multiply")
        a = a if before else self.activate(a)
        a = a if scale is None else a * scale
        a = a if shift is None else a + shift
        return self.activate(a) if before else a

    def _of_tasks(self, weight: Any) -> Any:
        """(number of the descriptor, units) -> (task, units)."""
        return ops.matmul(ops.convert_to_tensor(self.z, dtype=self.compute_dtype), ops.convert_to_tensor(weight))

    def _logits(self, h: Any, place: int) -> Any:
        """(batch, units) -> (batch,) or (batch, outputs), in float32."""
        outputs = self.tasks[place].outputs
        logits = self.heads[self.head_of[place]](ops.cast(h, "float32"))
        if self.mode == "heads":
            by_number = ops.reshape(logits, (-1, self.z.shape[1], outputs))
            logits = ops.sum(by_number * self.z[place][:, None], axis=1)
        return ops.squeeze(logits, axis=-1) if outputs == 1 else logits

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "mode": self.mode,
            "own_heads": self.own_heads,
            "units": self.units,
            "activation": self.activation,
            "dropout": self.dropout,
        }


_READ: dict[str, tuple[int | None, int | None]] = {
    "concatenate": (0, 1),
    "add": (0, None),
    "multiply": (None, 0),
    "film": (None, None),
    "heads": (0, 0),
}
"""{mode: (number of layers whose output is scaled by the descriptor, number of layers with a shift)}; None: all."""
