"""Finds the variables that tasks share, from the gradients of a network."""

from __future__ import annotations

from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf

from models.architectures.base import Architecture
from models.architectures.encoded import Encoded
from models.backbones.base import Backbone


def moved_by_tasks(backbone: Backbone, architecture: Architecture, inputs: Encoded) -> np.ndarray:
    """(task, variable) bool: whether the task's output has a gradient of the trainable variable.

    The variables are those of the backbone, then those of the architecture. Traces the network once in training mode and
    computes nothing. Only a gradient of None counts as missing; a gradient that is 0 for these inputs does not. No task
    updates a variable that is reached only through `add_loss` or behind a `stop_gradient`. Variables, random generators
    and losses stay unchanged.

    Args:
        backbone, architecture: built layers.
        inputs: input of the architecture for one example, with x and `by_task` before the backbone. The values do not matter.
    """
    found: list[list[bool]] = []

    def trace() -> None:
        # Stand-ins for the variables, because there is no replica here.
        trainable, others = (
            [(one, tf.zeros(one.shape, one.dtype)) for part in (backbone, architecture) for one in getattr(part, which)]
            for which in ("trainable_variables", "non_trainable_variables")
        )
        variables = [value for _, value in trainable]
        # Not `stateless_call`, which casts neither variables nor inputs to the precision of the layer.
        with tf.GradientTape(persistent=True) as tape, keras.StatelessScope([*trainable, *others]):
            tape.watch(variables)
            x, *by_task = (backbone(one, training=True) for one in (inputs.x, *inputs.by_task))
            outputs = architecture(inputs._replace(x=x, by_task=tuple(by_task)), training=True)
        for task in architecture.names:
            found.append([gradient is not None for gradient in tape.gradient(outputs[task], variables)])

    tf.function(trace, autograph=False).get_concrete_function()
    return np.array(found, bool)


def positions_over(
    over: Literal["shared", "last_shared", "encoded"] | None,
    backbone: Backbone,
    architecture: Architecture,
    shapes: Encoded,
) -> tuple[int, ...]:
    """Positions of a balancer's `over` variables among the trainable variables of backbone and architecture.

    "shared": variables that more than one task updates. "last_shared": the last of them and the others in its layer,
    such as the bias of a kernel. The last is the last by position: Keras lists layers in the order of creation, and an
    architecture creates them from the input to the towers. It is the last layer of the bottom in shared_bottom, of the
    experts in mmoe, of the shared experts of the top level in ple, and the last stitch in cross_stitch.
    Both are empty if no variable is shared (single_task and soft_sharing without a backbone, or a single task).

    Args:
        over: `over` of the balancer. None or "encoded": no positions.
        backbone, architecture: built layers.
        shapes: shapes of the inputs of `moved_by_tasks`; None for dimensions that vary between batches.
    """
    if over in (None, "encoded"):
        return ()
    shared = np.flatnonzero(moved_by_tasks(backbone, architecture, zeros_of(shapes)).sum(axis=0) > 1).tolist()
    if over == "shared":
        return tuple(shared)
    variables = [*backbone.trainable_variables, *architecture.trainable_variables]
    layers = [variable.path.rpartition("/")[0] for variable in variables]
    return tuple(position for position in shared if layers[position] == layers[shared[-1]])


def sources_over(model: Any, inputs: Encoded) -> list[Any]:
    """What a balancer's `over` names, to compute gradients for: variables, or the tensors that the architecture reads.

    Args:
        model: a MultiTaskModel.
        inputs: input of its architecture.
    """
    if model.balancer.over == "encoded":
        return [inputs.x, *inputs.by_task, *inputs.parts.values(), *(rows for rows, _ in inputs.rows.values())]
    variables = [*model.backbone.trainable_variables, *model.architecture.trainable_variables]
    return [variables[position] for position in model.over]


def zeros_of(shapes: Encoded) -> Encoded:
    """Zeros of these shapes, with one example and lists of one value."""

    def zeros(shape: tuple[int | None, ...], dtype: Any = tf.float32) -> Any:
        return tf.zeros([size or 1 for size in shape], dtype)

    return Encoded(
        zeros(shapes.x),
        {name: zeros(shape) for name, shape in shapes.parts.items()},
        {name: (zeros(rows), zeros(present, tf.bool)) for name, (rows, present) in shapes.rows.items()},
        tuple(map(zeros, shapes.by_task)),
    )
