"""The kernels that each task has of its own, for the regularizers that relate tasks to each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from models.architectures.base import Architecture
from models.recipe.errors import InputError
from models.regularizers.base import ProximalTaskRegularizer, TaskRegularizer
from models.training import replicas

if TYPE_CHECKING:
    from models.training.multi_task_model import MultiTaskModel


def checked_kernels(architecture: Architecture) -> list[list[keras.Variable]]:
    """`task_kernels` of a built architecture.

    Raises:
        InputError: there are none, or those of one layer have different shapes or are not one per task.
    """
    layers = architecture.task_kernels()
    name = type(architecture).__name__
    if not layers:
        raise InputError(
            f"model.regularizers: expected layers of the same shapes that each task of the architecture {name} has of its "
            "own, received none. Choose another architecture, such as shared_bottom with towers, or remove the regularizers "
            "of tasks."
        )
    for kernels in layers:
        shapes = [tuple(kernel.shape) for kernel in kernels]
        if len(set(shapes)) > 1 or len(shapes) != len(architecture.names):
            raise InputError(
                f"model.regularizers: expected from {name}.task_kernels one kernel for each of {len(architecture.names)} tasks, "
                f"all of one shape, received the shapes {shapes}. Leave such a layer out of its task_kernels."
            )
    return layers


def check_task_kernels(regularizers: Sequence[Any], architecture: Architecture) -> None:
    """Checks the kernels if a regularizer needs them.

    Raises:
        InputError: as `checked_kernels`.
    """
    if any(isinstance(regularizer, TaskRegularizer) for regularizer in regularizers):
        checked_kernels(architecture)


def stacked(layers: Sequence[Sequence[keras.Variable]]) -> list[Any]:
    """The kernels of each layer as one array: (task, ..., in, out)."""
    return [tf.stack([tf.convert_to_tensor(kernel.value) for kernel in kernels]) for kernels in layers]


def task_cost(regularizer: TaskRegularizer, architecture: Architecture) -> Any:
    """The loss term: a scalar. That of a proximal regularizer has no gradient."""
    cost = regularizer.call(stacked(architecture.task_kernels()), architecture.names)
    return tf.stop_gradient(cost) if isinstance(regularizer, ProximalTaskRegularizer) else cost


def apply_proximal(model: MultiTaskModel, rate: Any) -> None:
    """The proximal steps, after the update of the optimizer.

    Args:
        model: the model.
        rate: learning rate of the update.
    """
    proximal = [one for one in model.regularizers if isinstance(one, ProximalTaskRegularizer)]
    if not proximal:
        return
    layers = model.architecture.task_kernels()
    for kernels, stack in zip(layers, stacked(layers), strict=True):
        for regularizer in proximal:
            stack = regularizer.proximal(stack, rate)
        replicas.assign(kernels, tf.unstack(stack))


class RegularizerLogs(keras.callbacks.Callback):
    """Adds the `logs` of the proximal regularizers to those of each epoch: of the weights after its last step."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        proximal = [one for one in self.model.regularizers if isinstance(one, ProximalTaskRegularizer)]
        stacks = stacked(self.model.architecture.task_kernels()) if proximal else []
        for regularizer in proximal:
            logs |= {name: float(value) for name, value in regularizer.logs(stacks).items()}
