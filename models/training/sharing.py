"""Which task moves which variable of a network: found from its gradients, declared nowhere."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import tensorflow as tf

from models.architectures.base import Architecture
from models.architectures.encoded import Encoded
from models.backbones.base import Backbone


def moved_by_tasks(backbone: Backbone, architecture: Architecture, inputs: Encoded) -> np.ndarray:
    """(task, variable) bool: whether the task's output has a gradient of the trainable variable.

    The variables are the backbone's, then the architecture's. One trace, in which nothing is computed: a gradient that is
    None is no gradient, one that would be 0 for these inputs is one. So it is in training: dropout and whatever else is
    on only there is on. A variable that is reached only by way of `add_loss`, or behind a `stop_gradient`, is moved by
    no task. Variables, random generators and losses stay as they are.

    Args:
        backbone, architecture: built.
        inputs: of the architecture, of one example, but for x, which goes through the backbone first; the values do not
            matter.
    """
    found: list[list[bool]] = []

    def trace() -> None:
        # In place of the variables: a replica has its own, and here is none.
        trainable, others = (
            [[tf.zeros(one.shape, one.dtype) for one in getattr(part, which)] for part in (backbone, architecture)]
            for which in ("trainable_variables", "non_trainable_variables")
        )
        variables = [*trainable[0], *trainable[1]]
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(variables)
            x, _ = backbone.stateless_call(trainable[0], others[0], inputs.x, training=True)
            outputs, _ = architecture.stateless_call(trainable[1], others[1], inputs._replace(x=x), training=True)
        for task in architecture.names:
            found.append([gradient is not None for gradient in tape.gradient(outputs[task], variables)])

    tf.function(trace, autograph=False).get_concrete_function()
    return np.array(found, bool)


def positions_over(
    over: Literal["shared", "last_shared"] | None, backbone: Backbone, architecture: Architecture, shapes: Encoded
) -> tuple[int, ...]:
    """Positions, among the trainable variables of backbone and architecture, of those that a balancer's `over` names.

    "shared": more than one task moves them. "last_shared": of these, the last one and the others of its layer, a
    layer's bias beside its kernel. The last by position: Keras lists a layer's parts as they were made, and an
    architecture makes them from the input to the towers. It is the bottom's last layer in shared_bottom, the experts'
    in mmoe, that of the shared experts of the top level in ple, and the last stitch in cross_stitch.
    Where no variable is shared (single_task and soft_sharing without a backbone, or one task alone) there are none of
    either.

    Args:
        over: of the balancer; for None there is nothing to look for.
        backbone, architecture: built.
        shapes: of `moved_by_tasks`' inputs, None for what differs from batch to batch.
    """
    if over is None:
        return ()
    shared = np.flatnonzero(moved_by_tasks(backbone, architecture, _zeros(shapes)).sum(axis=0) > 1).tolist()
    if over == "shared":
        return tuple(shared)
    variables = [*backbone.trainable_variables, *architecture.trainable_variables]
    layers = [variable.path.rpartition("/")[0] for variable in variables]
    return tuple(position for position in shared if layers[position] == layers[shared[-1]])


def _zeros(shapes: Encoded) -> Encoded:
    def zeros(shape: tuple[int | None, ...], dtype: Any = tf.float32) -> Any:
        return tf.zeros([size or 1 for size in shape], dtype)

    return Encoded(
        zeros(shapes.x),
        {name: zeros(shape) for name, shape in shapes.parts.items()},
        {name: (zeros(rows), zeros(present, tf.bool)) for name, (rows, present) in shapes.rows.items()},
    )
